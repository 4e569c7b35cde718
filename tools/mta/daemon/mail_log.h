/// The mail log, in Postfix's form, so that what reads Postfix's log reads this one: by syslog(3), or in
/// maillog_file (postconf(5)).
///
///     Result<std::unique_ptr<MailLog>> log = MailLog::open(settings);
///     (*log)->write({.program = "smtpd"}, Severity::kInfo, "connect from unknown[192.0.2.7]");
///     // Nov 28 22:37:31 host postfix/smtpd[4711]: connect from unknown[192.0.2.7]
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

using libconf::DiagnosticSink;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using libconf::Severity;

/// Who says it: "SYSLOG_NAME/PROGRAM". Several programs of Postfix are one process here, and a service may
/// have a syslog_name of its own.
struct LogTag {
  std::string_view syslog_name = {};  ///< Empty: the log's.
  std::string_view program;           ///< Empty: the name above is all (postlog(1)).
};

/// Thread-safe: a line is one write(2) or one syslog(3).
class MailLog {
 public:
  virtual ~MailLog() = default;

  /// Writes one line. `text` is shown as printable text; a warning gets "warning: " in front, an error
  /// "error: ", as Postfix has it.
  void write(LogTag tag, Severity severity, std::string_view text);

  /// The descriptor of maillog_file, which a process may pass on to those that it starts; -1: syslog.
  virtual int descriptor() const { return -1; }

  /// Opens maillog_file again, under the descriptor of before: a file that was renamed is left alone from then
  /// on. Does nothing for syslog, nor when the log goes somewhere else now. Errors: as open(), and all stays
  /// as it was.
  virtual Result<void> reopen(const libconf::Settings& settings);

  /// Writes a line that another process has made with open_for_user(), as it is but for what is no printable
  /// text.
  virtual void pass_on(std::string_view line);

  /// As maillog_file and syslog_facility have it. The file is made with maillog_file_permissions. Errors:
  /// kConfiguration, for a file outside of maillog_file_prefixes or an unknown facility; kInputOutput.
  static Result<std::unique_ptr<MailLog>> open(const libconf::Settings& settings);

  /// The same for a command that users may run, who may not write the file: with maillog_file, by way of the
  /// postlog service, as long as the mail system runs (postlogd(8)); else open(). Errors: as open().
  static Result<std::unique_ptr<MailLog>> open_for_user(const libconf::Settings& settings);

  /// The same for a process that was started with the file open.
  static Result<std::unique_ptr<MailLog>> adopt(const libconf::Settings& settings,
                                                libconf::FileDescriptor file);

 protected:
  explicit MailLog(std::string syslog_name) : syslog_name_(std::move(syslog_name)) {}

 private:
  virtual void put(Severity severity, std::string_view tag, std::string_view text) = 0;

  std::string syslog_name_;
};

/// Gives what parsers and tables warn of to the log. Log and tag must outlive it.
class LogSink final : public DiagnosticSink {
 public:
  LogSink(MailLog& log, LogTag tag) : log_(log), tag_(tag) {}
  void report(libconf::Diagnostic diagnostic) override {
    log_.write(tag_, diagnostic.severity, diagnostic.message);
  }

 private:
  MailLog& log_;
  LogTag tag_;
};

/// "Nov 28 22:37:31", in the local time zone: times as the log has them. Thread-safe.
std::string log_time(time_t seconds);

/// One line of a file: "Nov 28 22:37:31 host tag[pid]: text\n". `seconds` are of the local time zone.
std::string log_line(time_t seconds, std::string_view host, std::string_view tag, pid_t pid,
                     std::string_view text);

}  // namespace mta
