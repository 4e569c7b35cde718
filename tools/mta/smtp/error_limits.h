/// Clients that make too many errors (TUNING_README, "Slowing down SMTP clients that make many errors").
///
///     mta::ErrorCounter errors(limits);
///     if (errors.must_disconnect()) return send(mta::reply_to_too_many_errors(name));  // before a command
///     ...
///     if (reply.is_error()) errors.count_error();
///     sleep(errors.delay());  // before a reply goes out
#pragma once

#include <chrono>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/smtp/reply.h"

namespace mta {

struct ErrorLimits {
  unsigned soft_error_limit = 0;    ///< smtpd_soft_error_limit
  unsigned hard_error_limit = 0;    ///< smtpd_hard_error_limit
  unsigned junk_command_limit = 0;  ///< smtpd_junk_command_limit
  std::chrono::seconds error_sleep_time{};

  /// smtpd_recipient_limit, and how many more are refused before each one counts as an error.
  unsigned recipient_limit = 0;
  unsigned recipient_overshoot_limit = 0;
};

/// Error: a value that a parameter cannot have.
libconf::Result<ErrorLimits> read_error_limits(const libconf::Settings& settings);

/// The errors of one session. Not thread-safe.
class ErrorCounter {
 public:
  explicit ErrorCounter(const ErrorLimits& limits) : limits_(limits) {}

  void count_error() { ++errors_; }

  /// A command came that does nothing for a delivery; see Command::is_junk.
  void count_junk_command() {
    if (junk_commands_++ > limits_.junk_command_limit) count_error();
  }

  /// What smtpd_recipient_limit says of a recipient.
  enum class Verdict {
    kAccept,
    kRefuse,         ///< With a reply that is no error of the client: it may send the rest later.
    kRefuseAsError,  ///< It is one, and was counted.
  };

  /// A recipient came; `accepted` are those of this message so far.
  Verdict judge_recipient(unsigned accepted);

  /// A message was delivered, and all is forgiven.
  void forgive() { errors_ = junk_commands_ = overshoot_ = 0; }

  /// A message begins.
  void start_message() { overshoot_ = 0; }

  /// The client has made so many errors that it is served no longer.
  bool must_disconnect() const { return errors_ >= limits_.hard_error_limit; }

  /// How long a reply has to wait.
  std::chrono::seconds delay() const {
    return errors_ > limits_.soft_error_limit ? limits_.error_sleep_time : std::chrono::seconds(0);
  }

 private:
  ErrorLimits limits_;
  unsigned errors_ = 0;
  unsigned junk_commands_ = 0;
  unsigned overshoot_ = 0;  ///< Recipients of this message that were too many.
};

Reply reply_to_too_many_errors(std::string_view myhostname);
Reply reply_to_too_many_recipients(ErrorCounter::Verdict verdict);

}  // namespace mta
