/// pickup(8): takes mail that users of this host submit from maildrop/ into the queue.
///
///     Pickup pickup(io, *PickupOptions::read(settings), service.intake(), notifier);
///     pickup.scan();      // again, whenever postdrop(1) says so, or time has passed
///
/// A file is removed when its message is safe in the queue. A crash between the two makes a second copy; it
/// loses nothing. What is refused for good is returned to its sender, as it was submitted; what is refused
/// for now stays for the next scan. A file that makes no sense goes to corrupt/ (Postfix removes it).
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "libconf/handle.h"
#include "libconf/settings.h"
#include "tools/mta/delivery/notifier.h"
#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/smtp/milter_macros.h"

namespace mta {

/// What the files of a maildrop directory are taken with.
struct PickupOptions {
  std::string myhostname;
  std::string mail_name;
  std::string empty_address_recipient;
  std::string syslog_name;
  MilterSettings milters;  ///< non_smtpd_milters; no filters with receive_override_options = no_milters.

  /// Errors: as the getters of Settings; kConfiguration.
  static libconf::Result<PickupOptions> read(const libconf::Settings& settings);
};

/// Not thread-safe. All references must outlive it, and it must live until the io_context has run to its end.
class Pickup {
 public:
  Pickup(asio::io_context& io, PickupOptions options, const IntakeServices& services, Notifier& notifier)
      : io_(io), options_(std::move(options)), services_(services), notifier_(notifier) {}
  Pickup(const Pickup&) = delete;
  Pickup& operator=(const Pickup&) = delete;

  /// Looks for files, and starts to take them in, several at a time.
  void scan();

  /// Starts no more; those that are on their way are finished.
  void stop();

 private:
  /// A file that is open, and locked, so that nobody else takes it.
  struct OpenFile {
    libconf::FileDescriptor fd;
    uid_t owner = 0;
  };
  class Intake;

  asio::awaitable<void> take_some();
  asio::awaitable<void> take(std::string name);
  asio::awaitable<bool> give_back(const Intake& intake, const Rejection& reason, int file);
  std::optional<OpenFile> open(const std::string& name);
  void set_aside(const std::string& name);
  void remove(const std::string& name);
  void warn(std::string_view text);

  asio::io_context& io_;
  PickupOptions options_;
  IntakeServices services_;
  Notifier& notifier_;
  std::deque<std::string> waiting_;
  std::set<std::string> known_;  ///< Those that wait, and those that are on their way.
  int working_ = 0;              ///< How many take_some() run.
};

}  // namespace mta
