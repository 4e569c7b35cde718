#include "tools/qshape/queue_shape.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <numeric>
#include <set>

#include "libconf/handle.h"
#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/queue/queue_file_reader.h"
#include "tools/mta/queue/queue_id.h"

namespace qshape {
namespace {

using libconf::concat;

constexpr std::int64_t kMinute = 60;  // seconds
constexpr std::string_view kNullSender = "MAILER-DAEMON";

void add_counts(Counts& to, const Counts& counts) {
  std::transform(to.begin(), to.end(), counts.begin(), to.begin(), std::plus<>());
}

std::string domain_of(std::string_view address) {
  address = address.substr(address.rfind('@') + 1);
  while (address.ends_with('.')) address.remove_suffix(1);
  return libmaps::fold_ascii(address);
}

}  // namespace

std::uint64_t sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t AgeClasses::limit(std::size_t bucket) const {
  constexpr std::size_t kLargest = 30;  // Longer ago than there has been time.
  return is_linear ? unit * (bucket + 1) : unit << std::min(bucket, kLargest);
}

std::size_t AgeClasses::bucket_of(std::int64_t seconds) const {
  std::size_t bucket = 0;
  while (bucket + 1 < buckets && seconds >= static_cast<std::int64_t>(limit(bucket)) * kMinute) ++bucket;
  return bucket;
}

std::vector<std::string> AgeClasses::labels() const {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i + 1 < buckets; ++i) labels.push_back(std::to_string(limit(i)));
  labels.push_back(concat(labels.empty() ? "0" : labels.back(), "+"));
  return labels;
}

void QueueShape::add_address(std::string_view address, std::size_t bucket) {
  Counts& counts = domains_.try_emplace(domain_of(address), options_.ages.buckets, 0).first->second;
  ++counts[bucket];
  ++total_[bucket];
}

void QueueShape::add(const mta::QueueMessage& message) {
  if (!message.arrival_time || !message.sender) return;
  const std::time_t arrival = std::chrono::system_clock::to_time_t(*message.arrival_time);
  const std::size_t bucket = options_.ages.bucket_of(options_.now - arrival);
  if (options_.side == ShapeSide::kRecipients) {
    for (const mta::QueueRecipient& each : message.recipients)
      if (!each.is_done) add_address(each.address, bucket);
  } else if (!message.sender->empty()) {
    add_address(*message.sender, bucket);
  } else {
    ++domains_.try_emplace(std::string(kNullSender), options_.ages.buckets, 0).first->second[bucket];
    ++total_[bucket];
  }
  ++messages_;
  if (options_.batch > 0 && messages_ % options_.batch == 0) options_.at_batch(*this);
}

void QueueShape::add_directory(const std::string& path, std::string_view name,
                               libconf::DiagnosticSink& sink) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(path.c_str()), ::closedir);
  if (!entries) return sink.warn("qshape", concat("Can't stat ", name, ": ", std::strerror(errno)));
  while (const dirent* const entry = ::readdir(entries.get())) {
    const std::string file = entry->d_name;
    const std::string place = concat(path, "/", file);
    // The directories of hashing have one character.
    if (file.size() == 1 && file != ".") {
      add_directory(place, concat(name, "/", file), sink);
      continue;
    }
    if (!mta::is_queue_id(file)) continue;
    const libconf::FileDescriptor fd(::open(place.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || (status.st_mode & S_IXUSR) == 0) continue;
    auto reader = mta::QueueFileReader::open(fd.get(), place);
    if (!reader) continue;
    if (const auto message = mta::read_queue_message(*reader)) add(*message);
  }
}

void QueueShape::add_parents(std::size_t minimal_subdomains, std::vector<DomainShape>& rows) const {
  struct Parent {
    Counts counts;
    std::set<std::string> children = {};
  };
  std::map<std::string, Parent> parents;
  for (const auto& [domain, counts] : domains_) {
    std::string_view child = domain;
    for (std::size_t dot; (dot = child.find('.')) != std::string_view::npos; child.remove_prefix(dot + 1)) {
      const std::string_view parent = child.substr(dot + 1);
      if (parent.find('.') == std::string_view::npos) break;
      Parent& found =
          parents.try_emplace(std::string(parent), Parent{Counts(counts.size(), 0)}).first->second;
      add_counts(found.counts, counts);
      found.children.insert(std::string(child.substr(0, dot)));
    }
  }
  for (auto& [name, parent] : parents)
    if (parent.children.size() >= minimal_subdomains)
      rows.push_back({concat(".", name), std::move(parent.counts)});
}

std::vector<DomainShape> QueueShape::domains(std::size_t minimal_subdomains) const {
  std::vector<DomainShape> rows;
  for (const auto& [domain, counts] : domains_) rows.push_back({domain, counts});
  if (minimal_subdomains > 0) add_parents(minimal_subdomains, rows);
  std::sort(rows.begin(), rows.end(), [](const DomainShape& a, const DomainShape& b) {
    const auto key = [](const DomainShape& row) { return std::pair(row.domain.size(), row.domain); };
    const std::uint64_t first = sum(a.counts);
    const std::uint64_t second = sum(b.counts);
    return first != second ? first > second : key(a) < key(b);
  });
  return rows;
}

}  // namespace qshape
