#include "tools/mta/daemon/mail_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <mutex>

#include "libconf/text.h"
#include "tools/mta/daemon/trigger.h"

namespace mta {
namespace {

using libconf::concat;

/// For the service to make room.
constexpr std::chrono::seconds kSocketTime{5};

struct Facility {
  std::string_view name;
  int code;
};

/// syslog(3) has no function for the names.
constexpr std::array kFacilities = {
    Facility{"auth", LOG_AUTH},     Facility{"authpriv", LOG_AUTHPRIV}, Facility{"cron", LOG_CRON},
    Facility{"daemon", LOG_DAEMON}, Facility{"ftp", LOG_FTP},           Facility{"kern", LOG_KERN},
    Facility{"local0", LOG_LOCAL0}, Facility{"local1", LOG_LOCAL1},     Facility{"local2", LOG_LOCAL2},
    Facility{"local3", LOG_LOCAL3}, Facility{"local4", LOG_LOCAL4},     Facility{"local5", LOG_LOCAL5},
    Facility{"local6", LOG_LOCAL6}, Facility{"local7", LOG_LOCAL7},     Facility{"lpr", LOG_LPR},
    Facility{"mail", LOG_MAIL},     Facility{"news", LOG_NEWS},         Facility{"security", LOG_AUTH},
    Facility{"syslog", LOG_SYSLOG}, Facility{"user", LOG_USER},         Facility{"uucp", LOG_UUCP},
};

/// The word in front of the text, and the priority of syslog(3).
struct Level {
  std::string_view prefix;
  int priority;
};

Level level_of(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return {"", LOG_INFO};
    case Severity::kWarning:
      return {"warning: ", LOG_WARNING};
    case Severity::kError:
      return {"error: ", LOG_ERR};
  }
  return {"", LOG_INFO};
}

/// openlog(3) keeps the tag for the whole process, so that tag and line must go together.
class Syslog final : public MailLog {
 public:
  Syslog(std::string syslog_name, int facility) : MailLog(std::move(syslog_name)), facility_(facility) {}
  ~Syslog() override { ::closelog(); }

 private:
  void put(Severity severity, std::string_view tag, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (tag_ != tag) {
      tag_ = tag;
      ::openlog(tag_.c_str(), LOG_PID | LOG_NDELAY, facility_);
    }
    ::syslog(facility_ | level_of(severity).priority, "%.*s", static_cast<int>(text.size()), text.data());
  }

  const int facility_;
  std::mutex mutex_;
  std::string tag_;  ///< openlog(3) keeps a pointer to it.
};

Result<mode_t> file_mode(const libconf::Settings& settings) {
  const Result<std::string> text = settings.get("maillog_file_permissions");
  if (!text) return text.error();
  mode_t mode = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  if (failure != std::errc() || end != text->data() + text->size() || mode > 0777)
    return libconf::configuration_error(
        concat("bad octal configuration: maillog_file_permissions = ", *text));
  return mode;
}

Result<libconf::FileDescriptor> open_file(const libconf::Settings& settings, const std::string& file) {
  const Result<std::vector<std::string>> prefixes = settings.get_list("maillog_file_prefixes");
  if (!prefixes) return prefixes.error();
  if (std::none_of(prefixes->begin(), prefixes->end(),
                   [&](const std::string& prefix) { return file.starts_with(prefix); }))
    return libconf::configuration_error(
        concat("maillog_file value '", file, "' does not match any prefix in maillog_file_prefixes"));
  const Result<mode_t> mode = file_mode(settings);
  if (!mode) return mode.error();
  libconf::FileDescriptor descriptor(
      ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, *mode));
  if (!descriptor)
    return Error{.kind = ErrorKind::kInputOutput,
                 .message = concat("open logfile '", file, "': ", std::strerror(errno))};
  return descriptor;
}

class LogFile final : public MailLog {
 public:
  LogFile(std::string syslog_name, std::string host, libconf::FileDescriptor file)
      : MailLog(std::move(syslog_name)), host_(std::move(host)), file_(std::move(file)) {}

  int descriptor() const override { return file_.get(); }

  Result<void> reopen(const libconf::Settings& settings) override {
    const Result<std::string> file = settings.get("maillog_file");
    if (!file) return file.error();
    if (file->empty()) return {};
    const Result<libconf::FileDescriptor> again = open_file(settings, *file);
    if (!again) return again.error();
    if (::dup3(again->get(), file_.get(), O_CLOEXEC) < 0)
      return Error{.kind = ErrorKind::kInputOutput, .message = concat("dup3: ", std::strerror(errno))};
    return {};
  }

  void pass_on(std::string_view line) override { append(libconf::printable_utf8(line) + '\n'); }

 private:
  void put(Severity, std::string_view tag, std::string_view text) override {
    append(log_line(::time(nullptr), host_, tag, ::getpid(), text));
  }
  void append(const std::string& line) {
    // Nobody is left to be told that the log cannot be written.
    [[maybe_unused]] const ssize_t written = ::write(file_.get(), line.data(), line.size());
  }

  const std::string host_;
  const libconf::FileDescriptor file_;
};

/// By way of the postlog service: a line is a datagram, without its newline.
class LogSocket final : public MailLog {
 public:
  LogSocket(std::string syslog_name, std::string host, libconf::FileDescriptor socket)
      : MailLog(std::move(syslog_name)), host_(std::move(host)), socket_(std::move(socket)) {}

 private:
  void put(Severity, std::string_view tag, std::string_view text) override {
    std::string line = log_line(::time(nullptr), host_, tag, ::getpid(), text);
    line.pop_back();
    // The service may have ended: then nobody is left to be told.
    [[maybe_unused]] const ssize_t sent = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
  }

  const std::string host_;
  const libconf::FileDescriptor socket_;
};

/// The first label of myhostname.
Result<std::string> short_host_name(const libconf::Settings& settings) {
  Result<std::string> name = settings.get("myhostname");
  if (name) name->resize(std::min(name->find('.'), name->size()));
  return name;
}

}  // namespace

std::string log_time(time_t seconds) {
  // Most lines are of the same second as the one before.
  thread_local time_t last_seconds = -1;
  thread_local std::array<char, 32> stamp{};
  thread_local std::size_t size = 0;
  if (seconds != last_seconds) {
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    size = std::strftime(stamp.data(), stamp.size(), "%b %e %H:%M:%S", &parts);
    last_seconds = seconds;
  }
  return {stamp.data(), size};
}

std::string log_line(time_t seconds, std::string_view host, std::string_view tag, pid_t pid,
                     std::string_view text) {
  return concat(log_time(seconds), " ", host, " ", tag, "[", std::to_string(pid), "]: ", text, "\n");
}

void MailLog::write(LogTag tag, Severity severity, std::string_view text) {
  const std::string_view name = tag.syslog_name.empty() ? std::string_view(syslog_name_) : tag.syslog_name;
  put(severity, tag.program.empty() ? std::string(name) : concat(name, "/", tag.program),
      libconf::printable_utf8(concat(level_of(severity).prefix, text)));
}

Result<void> MailLog::reopen(const libconf::Settings& /*settings*/) { return {}; }

void MailLog::pass_on(std::string_view line) {
  put(Severity::kInfo, syslog_name_, libconf::printable_utf8(line));
}

Result<std::unique_ptr<MailLog>> MailLog::open_for_user(const libconf::Settings& settings) {
  const Result<std::string> file = settings.get("maillog_file");
  if (!file) return file.error();
  const Result<std::string> queue = settings.get("queue_directory");
  if (!queue) return queue.error();
  Result<std::string> syslog_name = settings.get("syslog_name");
  if (!syslog_name) return syslog_name.error();
  Result<std::string> host = short_host_name(settings);
  if (!host) return host.error();
  if (file->empty()) return adopt(settings, {});
  const Result<std::string> service = settings.get("postlog_service_name");
  if (!service) return service.error();
  Result<libconf::FileDescriptor> socket =
      connect_local(concat(*queue, "/public/", *service), kSocketTime, SOCK_DGRAM);
  if (!socket) return open(settings);
  return std::unique_ptr<MailLog>(
      std::make_unique<LogSocket>(std::move(*syslog_name), std::move(*host), std::move(*socket)));
}

Result<std::unique_ptr<MailLog>> MailLog::open(const libconf::Settings& settings) {
  const Result<std::string> file = settings.get("maillog_file");
  if (!file) return file.error();
  if (file->empty()) return adopt(settings, {});
  Result<libconf::FileDescriptor> descriptor = open_file(settings, *file);
  if (!descriptor) return descriptor.error();
  return adopt(settings, std::move(*descriptor));
}

Result<std::unique_ptr<MailLog>> MailLog::adopt(const libconf::Settings& settings,
                                                libconf::FileDescriptor file) {
  Result<std::string> syslog_name = settings.get("syslog_name");
  if (!syslog_name) return syslog_name.error();
  if (file) {
    Result<std::string> host = short_host_name(settings);
    if (!host) return host.error();
    return std::unique_ptr<MailLog>(
        std::make_unique<LogFile>(std::move(*syslog_name), std::move(*host), std::move(file)));
  }
  const Result<std::string> facility = settings.get("syslog_facility");
  if (!facility) return facility.error();
  const auto* const found = std::find_if(kFacilities.begin(), kFacilities.end(),
                                         [&](const Facility& each) { return each.name == *facility; });
  if (found == kFacilities.end())
    return libconf::configuration_error(concat("unknown syslog_facility: ", *facility));
  return std::unique_ptr<MailLog>(std::make_unique<Syslog>(std::move(*syslog_name), found->code));
}

}  // namespace mta
