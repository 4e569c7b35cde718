/// How the mail in some directories of the queue is spread over domains and ages (qshape(1)).
///
///     QueueShape shape({.side = ShapeSide::kRecipients, .ages = {.buckets = 10}});
///     shape.add_directory("/var/spool/postfix/deferred", warnings);
///     print(shape.domains());
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/diagnostic.h"
#include "tools/mta/queue/queue_message.h"

namespace qshape {

/// Ages in classes. The last has no limit.
struct AgeClasses {
  std::size_t buckets = 10;  ///< At least 1.
  std::uint64_t unit = 5;    ///< The limit of the first, in minutes; at least 1.
  bool is_linear = false;    ///< Multiples of the first; else each is twice the one before.

  /// The limit of a bucket that is not the last, in minutes.
  std::uint64_t limit(std::size_t bucket) const;
  /// Where a message of that age belongs.
  std::size_t bucket_of(std::int64_t seconds) const;
  /// "5", "10", ..., and the last one, "1280+".
  std::vector<std::string> labels() const;
};

enum class ShapeSide { kRecipients, kSenders };

class QueueShape;

struct ShapeOptions {
  ShapeSide side = ShapeSide::kRecipients;
  AgeClasses ages = {};
  std::time_t now = 0;
  std::size_t batch = 0;  ///< After each so many messages, `at_batch` is called; 0: never.
  std::function<void(const QueueShape&)> at_batch = nullptr;
};

/// By age class.
using Counts = std::vector<std::uint64_t>;

std::uint64_t sum(const Counts& counts);

/// A row: a domain, or one with a dot in front, for all below it.
struct DomainShape {
  std::string domain;
  Counts counts;
};

/// Not thread-safe.
class QueueShape {
 public:
  explicit QueueShape(ShapeOptions options)
      : options_(std::move(options)), total_(options_.ages.buckets, 0) {}

  /// Counts the messages in a directory, and in those of hashing below it. What is no message, or is just
  /// being written or removed, is passed over. The sink is told of a directory that cannot be read; `name` is
  /// how the user calls it.
  void add_directory(const std::string& path, std::string_view name, libconf::DiagnosticSink& sink);

  /// Counts one message.
  void add(const mta::QueueMessage& message);

  const Counts& total() const { return total_; }

  /// Domains, the most first; of those with equally many, the shortest. `minimal_subdomains` > 0: with parent
  /// domains that have so many directly below them, but for top-level domains.
  std::vector<DomainShape> domains(std::size_t minimal_subdomains) const;

 private:
  void add_address(std::string_view address, std::size_t bucket);
  void add_parents(std::size_t minimal_subdomains, std::vector<DomainShape>& rows) const;

  ShapeOptions options_;
  std::size_t messages_ = 0;
  Counts total_;
  std::map<std::string, Counts> domains_;
};

}  // namespace qshape
