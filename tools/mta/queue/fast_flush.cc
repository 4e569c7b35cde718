#include "tools/mta/queue/fast_flush.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "libmaps/domain_keys.h"
#include "libmaps/utf8.h"
#include "tools/mta/daemon/waiting_table.h"
#include "tools/mta/queue/queue_id.h"

namespace mta {
namespace {

using libconf::FileDescriptor;
using libconf::Result;

/// More than any mail system has deferred for a destination; what is behind that is lost.
constexpr std::size_t kLongestFile = std::size_t{64} << 20;
constexpr std::size_t kLongestName = 255;

/// "example_com"
std::string file_name(std::string_view site) {
  std::string name = libmaps::fold_ascii(site);
  for (char& c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!is_plain) c = '_';
  }
  return name;
}

}  // namespace

Result<std::unique_ptr<FastFlush>> FastFlush::create(const libconf::Settings& settings,
                                                     const QueueDirectory& queue, MailLog& log,
                                                     std::function<void()> released) {
  auto flush = std::unique_ptr<FastFlush>(new FastFlush(queue, log, std::move(released)));
  const Result<libmaps::ParentStyle> parents = libmaps::parent_style(settings, "fast_flush_domains");
  if (!parents) return parents.error();
  Result<libmaps::MatchList> domains =
      open_list("fast_flush_domains", {.kind = libmaps::MatchKind::kDomains, .parents = *parents},
                {.settings = settings, .warnings = flush->warnings_});
  if (!domains) return domains.error();
  flush->domains_ = std::make_unique<libmaps::MatchList>(std::move(*domains));
  for (const auto& [name, value] : {std::pair("fast_flush_refresh_time", &flush->refresh_time_),
                                    std::pair("fast_flush_purge_time", &flush->purge_time_)}) {
    const Result<std::chrono::seconds> setting = settings.get_duration(name);
    if (!setting) return setting.error();
    *value = *setting;
  }
  return flush;
}

FlushStatus FastFlush::failed(std::string_view step, const std::string& path) {
  log_.write({.program = "flush"}, Severity::kWarning, queue_error(step, path, errno).message);
  return FlushStatus::kFailed;
}

FlushStatus FastFlush::check(std::string_view site) {
  const Result<bool> is_eligible = domains_->matches(site);
  if (!is_eligible) {
    log_.write({.program = "flush"}, Severity::kWarning, is_eligible.error().message);
    return FlushStatus::kFailed;
  }
  if (!*is_eligible) return FlushStatus::kDenied;
  return site.empty() || site.size() > kLongestName ? FlushStatus::kInvalid : FlushStatus::kDone;
}

FlushStatus FastFlush::add(std::string_view site, std::string_view id) {
  if (const FlushStatus status = check(site); status != FlushStatus::kDone) return status;
  if (!is_queue_id(id)) return FlushStatus::kInvalid;
  const std::string path = directory() + file_name(site);
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file) return failed("open ", path);
  const std::string line = libconf::concat(id, "\n");
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return failed("write ", path);
  return FlushStatus::kDone;
}

FlushStatus FastFlush::send_site(std::string_view site) {
  if (const FlushStatus status = check(site); status != FlushStatus::kDone) return status;
  return send_all(directory() + file_name(site));
}

FlushStatus FastFlush::send_all(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return FlushStatus::kDone;
  if (!file) return failed("open ", path);
  std::string text;
  if (libconf::read_to_end(file.get(), text, kLongestFile) != 0) return failed("read ", path);
  // From here on new lines are about mail that was deferred again.
  if (::ftruncate(file.get(), 0) != 0) return failed("truncate ", path);
  std::set<std::string_view> seen;
  bool has_any = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!is_queue_id(line))
      warn_of(line, path);
    else if (seen.insert(line).second && release(line))
      has_any = true;
  }
  if (has_any) released_();
  return FlushStatus::kDone;
}

void FastFlush::warn_of(std::string_view line, const std::string& path) {
  constexpr std::size_t kShown = 30;
  log_.write({.program = "flush"}, Severity::kWarning,
             libconf::concat("bad queue id \"", line.substr(0, std::min(line.find('\0'), kShown)),
                             "...\" in fast flush logfile ", path.substr(path.rfind('/') + 1)));
}

FlushStatus FastFlush::send_file(std::string_view id) {
  if (!is_queue_id(id)) return FlushStatus::kInvalid;
  if (release(id)) released_();
  return FlushStatus::kDone;
}

/// Moves a message from deferred/ to incoming/, if it is there.
bool FastFlush::release(std::string_view id) {
  const std::string path = queue_.path_of(Queue::kDeferred, id);
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0) return false;
  return queue_.move(id, Queue::kDeferred, Queue::kIncoming).has_value();
}

void FastFlush::look_through(std::chrono::seconds refresh_time, std::chrono::seconds purge_time) {
  const std::time_t now = std::time(nullptr);
  std::vector<std::string> paths;
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(directory(), ignored), end; entry != end;
       entry.increment(ignored))
    paths.push_back(entry->path());
  for (const std::string& path : paths) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (status.st_size > 0 && now - status.st_atime >= refresh_time.count()) {
      static_cast<void>(send_all(path));
    } else if (status.st_size == 0 && now - status.st_mtime >= purge_time.count()) {
      ::unlink(path.c_str());
    }
  }
}

}  // namespace mta
