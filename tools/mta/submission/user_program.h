/// What the programs that users of this host run, sendmail(1) and postdrop(1), have in common: the
/// configuration, what they say, and who may use them.
///
///     auto program = UserProgram::start("postdrop", directory, std::cerr);
///     if (!program) ...
///     if (const Result<void> allowed = (*program)->check_may_submit(); !allowed) ...
///
/// A program that has privileges by its file mode takes the configuration of a directory from root alone, or
/// when the main.cf of the built-in directory names it (alternate_config_directories,
/// multi_instance_directories).
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/main_cf_document.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/open.h"
#include "tools/mta/daemon/mail_log.h"

namespace mta {

/// The directory of main.cf: `given`, else that of MAIL_CONFIG, else the built-in one.
std::string configuration_directory(const std::optional<std::string>& given);

/// The login name of a user, or nothing.
std::optional<std::string> login_name(uid_t user);

/// Not thread-safe.
class UserProgram {
 public:
  /// `name`: of the program, for messages. `err` must outlive the object. Errors: main.cf cannot be read, or
  /// may not be used.
  static Result<std::unique_ptr<UserProgram>> start(std::string_view name, const std::string& directory,
                                                    std::ostream& err);
  UserProgram(const UserProgram&) = delete;
  UserProgram& operator=(const UserProgram&) = delete;

  const libconf::Settings& settings() const { return *settings_; }
  const std::string& directory() const { return directory_; }
  DiagnosticSink& messages() { return messages_; }
  MailLog& log() { return *log_; }
  libmaps::TableContext tables() { return {.settings = *settings_, .warnings = messages_}; }

  /// To `err` and to the log, if that can be written: "TEXT", "warning: TEXT", or "fatal: TEXT".
  void say(std::string_view text) {
    messages_.report({.severity = Severity::kInfo, .message = std::string(text)});
  }
  void warn(std::string_view text) {
    messages_.report({.severity = Severity::kWarning, .message = std::string(text)});
  }
  void fatal(std::string_view text);

  /// Whether authorized_submit_users has the user who runs the program. Errors: he is not there, "User
  /// NAME(UID) is not allowed to submit mail"; those of tables.
  Result<void> check_may_submit();

  /// The login name of the user who runs the program, or "unknown", when the list of users in `parameter`
  /// does not have him. Errors: those of tables.
  Result<std::optional<std::string>> user_outside(const std::string& parameter);

 private:
  UserProgram(std::string_view name, std::string directory, std::ostream& err)
      : name_(name), directory_(std::move(directory)), err_(err), messages_(*this) {}
  Result<void> load();
  Result<void> check_directory() const;

  class Messages final : public DiagnosticSink {
   public:
    explicit Messages(UserProgram& program) : program_(program) {}
    void report(libconf::Diagnostic diagnostic) override;

   private:
    UserProgram& program_;
  };

  std::string name_;
  std::string directory_;
  std::ostream& err_;
  Messages messages_;
  std::optional<libconf::MainCfDocument> main_cf_;
  std::optional<libconf::Settings> settings_;
  std::unique_ptr<MailLog> log_;  ///< To nowhere, when the user may not write to it.
};

}  // namespace mta
