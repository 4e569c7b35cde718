#include "tools/postmulti/private_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "libconf/file.h"
#include "libconf/file_edit.h"
#include "libconf/text.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/daemon/spool_layout.h"

namespace postmulti {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::MainCfEdit;
using libconf::Result;
namespace fs = std::filesystem;

namespace {

/// Parameters of files that all instances share.
constexpr std::array kShared = {
    "command_directory", "daemon_directory", "html_directory",  "mail_owner",       "mailq_path",
    "manpage_directory", "meta_directory",   "newaliases_path", "readme_directory", "sample_directory",
    "sendmail_path",     "setgid_group",     "shlib_directory",
};

constexpr std::array kConfigurationFiles = {"main.cf", "master.cf"};

/// Directories below queue_directory whose files are messages.
constexpr std::array kMail = {"maildrop", "incoming", "active", "deferred", "hold"};
/// Those whose files are of the processes that ran.
constexpr std::array kRuntime = {"pid", "private", "public", "spare"};
/// Files in data_directory that are of them, too.
constexpr std::array kData = {"master.lock", "prng_exch"};

Error failed(std::string_view what, const std::string& path, int error) {
  return {.kind = ErrorKind::kInputOutput, .message = concat(what, " ", path, ": ", std::strerror(error))};
}

Error refused(std::string message) {
  return {.kind = ErrorKind::kUnsupported, .message = std::move(message)};
}

/// Directories alone, from the innermost: one with a file in it stays.
void remove_empty_directories(const fs::path& path) {
  std::error_code ignored;
  std::vector<fs::path> below;
  for (const fs::directory_entry& each : fs::directory_iterator(path, ignored))
    if (!each.is_symlink(ignored) && each.is_directory(ignored)) below.push_back(each.path());
  for (const fs::path& each : below) remove_empty_directories(each);
  ::rmdir(path.c_str());
}

void remove_files(const fs::path& directory) {
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const fs::directory_entry& each : fs::directory_iterator(directory, ignored))
    if (!each.is_directory(ignored)) files.push_back(each.path());
  for (const fs::path& each : files) ::unlink(each.c_str());
}

/// Of a directory that should be gone.
void check_gone(const std::string& path, libconf::DiagnosticSink& sink) {
  ::rmdir(path.c_str());
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0)
    sink.report({.severity = libconf::Severity::kWarning,
                 .message = concat(path, ": please verify contents and remove by hand")});
}

}  // namespace

Result<void> edit_main_cf(const Instance& instance, libconf::DiagnosticSink& sink,
                          const std::function<void(MainCfEdit& edit)>& change) {
  Result<libconf::FileEdit> file = libconf::FileEdit::begin(instance.main_cf());
  if (!file) return file.error();
  MainCfEdit edit;
  change(edit);
  const Result<bool> written = file->commit(edit.apply(file->original(), instance.main_cf(), sink));
  if (!written) return written.error();
  return {};
}

bool has_configuration(const Instance& instance) {
  for (const char* const name : kConfigurationFiles)
    if (::access(concat(instance.config_directory, "/", name).c_str(), F_OK) != 0) return false;
  return true;
}

Result<void> make_configuration(const Instance& instance, const Instance& primary,
                                libconf::DiagnosticSink& sink) {
  const libconf::Settings& shared = primary.configuration->settings();
  const Result<std::string> prototypes = shared.get("meta_directory");
  if (!prototypes) return prototypes.error();
  std::array<std::string, kConfigurationFiles.size()> texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string prototype = concat(*prototypes, "/", kConfigurationFiles[i], ".proto");
    Result<std::string> text = libconf::read_file(prototype);
    if (!text) return refused(concat("Missing ", kConfigurationFiles[i], " prototype: ", prototype));
    texts[i] = std::move(*text);
  }
  std::error_code failure;
  fs::create_directories(instance.config_directory, failure);
  if (failure) return failed("mkdir", instance.config_directory, failure.value());
  MainCfEdit edit;
  for (const char* const name : kShared) {
    if (const auto setting = shared.explicit_setting(name))
      edit.set(name, setting->value, sink);
    else
      edit.comment_out(name);
  }
  edit.set("queue_directory", instance.queue_directory, sink);
  edit.set("data_directory", instance.data_directory, sink);
  // Nobody sends mail by an instance that has not been set up.
  edit.set("master_service_disable", "inet", sink);
  edit.set("authorized_submit_users", "", sink);
  texts.front() = edit.apply(texts.front(), instance.main_cf(), sink);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string path = concat(instance.config_directory, "/", kConfigurationFiles[i]);
    // What is begun is a file that is there.
    if (const libconf::FileDescriptor made(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)); !made)
      return failed("open", path, errno);
    Result<libconf::FileEdit> file = libconf::FileEdit::begin(path);
    if (!file) return file.error();
    if (const Result<bool> written = file->commit(texts[i]); !written) return written.error();
  }
  return {};
}

Result<void> make_directories(const Instance& instance, libconf::DiagnosticSink& sink) {
  const auto configuration = Configuration::load(instance.config_directory, sink);
  if (!configuration) return configuration.error();
  const Result<mta::Spool> spool = mta::Spool::read((*configuration)->settings());
  if (!spool) return spool.error();
  return spool->make_directories();
}

Result<void> check_is_idle(const Instance& instance) {
  const Result<mta::Spool> spool = mta::Spool::read(instance.configuration->settings());
  if (!spool) return spool.error();
  const Result<std::optional<pid_t>> pid = spool->running();
  if (pid && *pid)
    return refused(concat("instance ", instance.config_directory, ": the mail system is running"));
  for (const char* const queue : kMail) {
    std::error_code ignored;
    const fs::path path = fs::path(instance.queue_directory) / queue;
    for (const fs::directory_entry& each : fs::recursive_directory_iterator(path, ignored))
      if (!each.is_directory(ignored))
        return refused(concat("instance ", instance.config_directory, ": there is mail in ", path.native()));
  }
  return {};
}

void remove_private_files(const Instance& instance, libconf::DiagnosticSink& sink) {
  for (const char* const name : kData) ::unlink(concat(instance.data_directory, "/", name).c_str());
  check_gone(instance.data_directory, sink);
  const fs::path queue = instance.queue_directory;
  for (const char* const name : kRuntime) remove_files(queue / name);
  for (const mta::SpoolDirectory& each : mta::kSpoolDirectories) {
    const fs::path path = queue / each.name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode)) remove_empty_directories(path);
    check_gone(path, sink);
  }
  check_gone(queue, sink);
  for (const char* const name : kConfigurationFiles)
    ::unlink(concat(instance.config_directory, "/", name).c_str());
  check_gone(instance.config_directory, sink);
}

}  // namespace postmulti
