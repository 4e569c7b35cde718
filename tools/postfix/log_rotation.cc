#include "tools/postfix/log_rotation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"

namespace postfix {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::Result;

Error failed(std::string_view file, std::string_view why) {
  return configuration_error(concat("logfile '", file, "' rotation failed: ", why));
}

Result<std::string> log_file(const libconf::Settings& settings) {
  Result<std::string> file = settings.get("maillog_file");
  if (!file || !file->empty()) return file;
  return configuration_error("empty 'maillog_file' parameter value - logfile rotation failed");
}

/// `format` for the current time, in local time.
std::string time_text(const std::string& format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::array<char, 256> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), format.c_str(), &parts);
  return {text.data(), size};
}

}  // namespace

Result<std::string> put_log_aside(const libconf::Settings& settings) {
  const Result<std::string> file = log_file(settings);
  if (!file) return file;
  const Result<std::string> suffix = settings.get("maillog_file_rotate_suffix");
  if (!suffix) return suffix;
  std::string aside = concat(*file, ".", time_text(*suffix));
  struct stat status = {};
  int error = ::stat(file->c_str(), &status) == 0 ? 0 : errno;
  // Whoever asks has opened the log, and so has made it.
  if (error == 0 && status.st_size == 0) error = ENOENT;
  if (error == 0 && std::rename(file->c_str(), aside.c_str()) != 0) error = errno;
  if (error != 0) return failed(*file, concat("mv: cannot stat '", *file, "': ", std::strerror(error)));
  return aside;
}

bool wait_for_writers(const std::string& file, std::chrono::milliseconds limit) {
  const libconf::FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return true;
  // A lease to read is given only while nobody else may write (fcntl(2)).
  const auto end = std::chrono::steady_clock::now() + limit;
  while (::fcntl(opened.get(), F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

Result<void> compress_log(const libconf::Settings& settings, const std::string& file) {
  const Result<std::string> log = log_file(settings);
  if (!log) return log.error();
  const Result<std::string> compressor = settings.get("maillog_file_compressor");
  if (!compressor) return compressor.error();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failed(*log, concat("pipe: ", std::strerror(errno)));
  const libconf::FileDescriptor reading(ends[0]);
  libconf::FileDescriptor writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return failed(*log, concat("fork: ", std::strerror(errno)));
  if (child == 0) {
    ::dup2(writing.get(), STDOUT_FILENO);
    ::dup2(writing.get(), STDERR_FILENO);
    ::execlp(compressor->c_str(), compressor->c_str(), file.c_str(), nullptr);
    const std::string why = concat(*compressor, ": ", std::strerror(errno));
    libconf::write_all(STDERR_FILENO, why);
    std::_Exit(127);
  }
  writing = {};
  std::string said;
  libconf::read_to_end(reading.get(), said);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (said.empty()) said = concat(*compressor, ": failed");
  return failed(*log, libconf::trim(said));
}

}  // namespace postfix
