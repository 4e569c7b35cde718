#include "tools/mta/submission/user_program.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libmaps/match_list.h"

namespace mta {
namespace {

using libconf::concat;

std::string_view built_in_directory() { return libconf::find_parameter("config_directory")->default_value; }

/// Whether the file mode of the program gives it rights that its user does not have.
bool has_privileges() { return ::geteuid() != ::getuid() || ::getegid() != ::getgid(); }

Result<libconf::MainCfDocument> read_main_cf(std::string_view directory) {
  // What is odd in it is reported when there is a log; see load().
  libconf::DiagnosticDiscard discard;
  return libconf::MainCfDocument::load(concat(directory, "/main.cf"), discard);
}

}  // namespace

std::string configuration_directory(const std::optional<std::string>& given) {
  if (given) return *given;
  const char* const environment =
      std::getenv("MAIL_CONFIG");  // NOLINT(concurrency-mt-unsafe): once, at the start.
  return environment != nullptr ? environment : std::string(built_in_directory());
}

std::optional<std::string> login_name(uid_t user) {
  const passwd* const entry = ::getpwuid(user);  // NOLINT(concurrency-mt-unsafe): one thread.
  if (entry == nullptr) return std::nullopt;
  return entry->pw_name;
}

void UserProgram::Messages::report(libconf::Diagnostic diagnostic) {
  static constexpr std::string_view kSeverities[] = {"", "warning: ", "error: "};
  program_.err_ << program_.name_ << ": " << kSeverities[static_cast<std::size_t>(diagnostic.severity)]
                << libconf::printable_utf8(diagnostic.message) << std::endl;
  if (program_.log_)
    program_.log_->write({.program = program_.name_}, diagnostic.severity, diagnostic.message);
}

void UserProgram::fatal(std::string_view text) {
  err_ << name_ << ": fatal: " << libconf::printable_utf8(text) << std::endl;
  if (log_) log_->write({.program = name_}, Severity::kInfo, concat("fatal: ", text));
}

Result<std::unique_ptr<UserProgram>> UserProgram::start(std::string_view name, const std::string& directory,
                                                        std::ostream& err) {
  std::unique_ptr<UserProgram> program(new UserProgram(name, directory, err));
  if (Result<void> loaded = program->load(); !loaded) return loaded.error();
  return program;
}

Result<void> UserProgram::check_directory() const {
  if (directory_ == built_in_directory() || !has_privileges() || ::getuid() == 0) return {};
  const Result<libconf::MainCfDocument> main_cf = read_main_cf(built_in_directory());
  if (!main_cf) return main_cf.error();
  const libconf::Settings settings(&*main_cf, libconf::system_host());
  for (const std::string_view parameter : {"alternate_config_directories", "multi_instance_directories"}) {
    const Result<std::vector<std::string>> directories = settings.get_list(parameter);
    if (!directories) return directories.error();
    if (std::find(directories->begin(), directories->end(), directory_) != directories->end()) return {};
  }
  return libconf::configuration_error(
      concat("unauthorized configuration directory: ", directory_, " (see alternate_config_directories)"));
}

Result<void> UserProgram::load() {
  if (Result<void> allowed = check_directory(); !allowed) return allowed;
  Result<libconf::MainCfDocument> document = read_main_cf(directory_);
  if (!document) return document.error();
  main_cf_.emplace(std::move(*document));
  settings_.emplace(&*main_cf_, libconf::system_host());
  if (directory_ != built_in_directory()) settings_->set_config_directory(directory_);
  Result<std::unique_ptr<MailLog>> log = MailLog::open_for_user(*settings_);
  if (!log)
    log = MailLog::adopt(*settings_, libconf::FileDescriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC)));
  if (!log) return log.error();
  log_ = std::move(*log);
  main_cf_->report(messages_, directory_);
  return {};
}

Result<std::optional<std::string>> UserProgram::user_outside(const std::string& parameter) {
  const Result<std::string> value = settings_->get(parameter);
  if (!value) return value.error();
  Result<libmaps::MatchList> users =
      libmaps::MatchList::parse(parameter, *value, {.kind = libmaps::MatchKind::kStrings},
                                [this](std::string_view spec) { return libmaps::open(spec, tables()); });
  if (!users) return users.error();
  std::string user = login_name(::getuid()).value_or("unknown");
  const Result<bool> is_there = users->matches(user);
  if (!is_there) return is_there.error();
  if (*is_there) return std::nullopt;
  return user;
}

Result<void> UserProgram::check_may_submit() {
  const Result<std::optional<std::string>> user = user_outside("authorized_submit_users");
  if (!user) return user.error();
  if (!*user) return {};
  return libconf::configuration_error(
      concat("User ", **user, "(", std::to_string(::getuid()), ") is not allowed to submit mail"));
}

}  // namespace mta
