/// flush(8): remembers which deferred mail is for which destination, and gets that delivered when it is asked
/// for (ETRN_README; postqueue -s, -i).
///
///     auto flush = FastFlush::create(settings, queue, log, [&] { manager.take_back(); });
///     (*flush)->add("example.com", "4A1B2C3D4E");
///     (*flush)->send_site("example.com") == FlushStatus::kDone;
///
/// Each destination of fast_flush_domains has a file in flush/, with a queue ID a line: "example_com". What
/// is in it may be outdated, or damaged: lines that name no deferred message do nothing.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/match_list.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/queue/queue_directory.h"

namespace mta {

/// What clients of flush(8) are answered, as a number.
enum class FlushStatus : int { kDone = 0, kFailed = 1, kInvalid = 3, kDenied = 4 };

/// Not thread-safe.
class FastFlush {
 public:
  /// `released` is called when there are messages in incoming/ again. Settings, queue and log must outlive
  /// it. Errors: those of the settings, and of tables that cannot be opened.
  static libconf::Result<std::unique_ptr<FastFlush>> create(const libconf::Settings& settings,
                                                            const QueueDirectory& queue, MailLog& log,
                                                            std::function<void()> released);

  /// The message waits for that destination.
  FlushStatus add(std::string_view site, std::string_view id);

  /// Delivers what waits for a destination, or one message.
  FlushStatus send_site(std::string_view site);
  FlushStatus send_file(std::string_view id);

  /// send_site() for files that nobody has asked for during fast_flush_refresh_time; files without a line go
  /// after fast_flush_purge_time.
  void refresh() { look_through(refresh_time_, purge_time_); }
  /// The same, whenever somebody has asked for them.
  void purge() { look_through(std::chrono::seconds(0), purge_time_); }

 private:
  FastFlush(const QueueDirectory& queue, MailLog& log, std::function<void()> released)
      : queue_(queue), log_(log), warnings_(log, {.program = "flush"}), released_(std::move(released)) {}
  std::string directory() const { return queue_.path() + "/flush/"; }
  /// The status of a site that has no file.
  FlushStatus check(std::string_view site);
  FlushStatus failed(std::string_view step, const std::string& path);
  FlushStatus send_all(const std::string& path);
  void warn_of(std::string_view line, const std::string& path);
  bool release(std::string_view id);
  void look_through(std::chrono::seconds refresh_time, std::chrono::seconds purge_time);

  const QueueDirectory& queue_;
  MailLog& log_;
  LogSink warnings_;
  std::function<void()> released_;
  std::unique_ptr<libmaps::MatchList> domains_;  ///< fast_flush_domains
  std::chrono::seconds refresh_time_{0};
  std::chrono::seconds purge_time_{0};
};

}  // namespace mta
