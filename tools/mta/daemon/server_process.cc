#include "tools/mta/daemon/server_process.h"

#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ostream>

#include "libconf/text.h"
#include "tools/mta/daemon/endpoint.h"
#include "tools/mta/daemon/process.h"
#include "tools/mta/daemon/spool.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::FileDescriptor;
using libconf::MasterField;
using libconf::Result;
using libconf::Severity;

/// What a message has taken is needed again for the next one. Given back to the kernel in between, each page
/// of it would be a fault again.
void keep_memory() {
#ifdef __GLIBC__
  constexpr int kKept = 16 << 20;    // Bytes; what is free beyond them goes back.
  constexpr int kLargest = 4 << 20;  // Bytes; larger blocks always go back.
  ::mallopt(M_TRIM_THRESHOLD, kKept);
  ::mallopt(M_MMAP_THRESHOLD, kLargest);
#endif
}

constexpr std::string_view kDirectory = "-c";
constexpr std::string_view kLog = "--log";
constexpr std::string_view kListen = "--listen";

}  // namespace

ServerStart server_start(const std::string& config_directory, int control, int log,
                         std::span<const PassedSocket> sockets) {
  ServerStart start;
  start.arguments = {std::string(kDirectory), config_directory};
  start.descriptors = {control};
  if (log >= 0) {
    start.arguments.emplace_back(kLog);
    start.descriptors.push_back(log);
  }
  for (const PassedSocket& each : sockets) {
    start.arguments.insert(start.arguments.end(), {std::string(kListen), each.service});
    start.descriptors.push_back(each.socket);
  }
  return start;
}

Result<void> ServerProcess::inherit(const std::vector<std::string>& arguments) {
  std::string directory;
  FileDescriptor log;
  int next = kFirstInherited;
  control_ = FileDescriptor(next++);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == kLog) {
      log = FileDescriptor(next++);
    } else if (arguments[i] == kListen && has_value) {
      sockets_.push_back({arguments[++i], FileDescriptor(next++)});
    } else if (arguments[i] == kDirectory && has_value) {
      directory = arguments[++i];
    } else {
      return libconf::configuration_error(
          concat("started by the master only; unexpected argument: ", arguments[i]));
    }
  }
  libconf::DiagnosticDiscard warnings;  // The master has said them.
  Result<std::unique_ptr<Site>> site = Site::load(directory, warnings);
  if (!site) return site.error();
  site_ = std::move(*site);
  Result<std::unique_ptr<MailLog>> opened = MailLog::adopt(site_->settings(), std::move(log));
  if (!opened) return opened.error();
  log_ = std::move(*opened);
  return {};
}

std::vector<ServerProcess::Passed> ServerProcess::take_services() {
  std::vector<Passed> services;
  for (const libconf::PlacedService* const placed : site_->services()) {
    Passed passed{*placed, {}};
    for (Inherited& each : sockets_)
      if (each.socket && each.service == placed->service.key())
        passed.sockets.push_back(std::move(each.socket));
    if (!passed.sockets.empty()) services.push_back(std::move(passed));
  }
  return services;
}

void ServerProcess::listen(Service& service, Passed& passed, std::string_view program) {
  const Transport transport = *find_transport(passed.placed.service.type());
  for (FileDescriptor& socket : passed.sockets)
    if (const Result<void> listening = service.listen(transport, std::move(socket)); !listening)
      log_->write({.program = program}, Severity::kWarning,
                  concat("service ", passed.placed.service.key(), ": ", listening.error().message));
}

/// The process serves strangers from here on. The other groups of the user stay: sockets may be theirs, as
/// saslauthd's is (SASL_README).
Result<void> ServerProcess::become_mail_owner() {
  const Result<Spool> spool = Spool::read(site_->settings());
  if (!spool) return spool.error();
  const std::optional<Identity> owner = spool->mail_owner();
  if (!owner) return {};
  const passwd* const user = ::getpwuid(owner->user);
  if (user != nullptr && ::initgroups(user->pw_name, owner->group) == 0 && ::setgid(owner->group) == 0 &&
      ::setuid(owner->user) == 0)
    return {};
  return Error{.kind = ErrorKind::kInputOutput,
               .message = concat("cannot become mail_owner: ", std::strerror(errno))};
}

void ServerProcess::run(ServerWork& work) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
  master_.assign(control_.release());
  [[maybe_unused]] const ssize_t told = ::write(master_.native_handle(), "", 1);
  wait_for_signal(work);
  // The master says nothing: what can be read is the end of the connection, and so of the master.
  master_.async_read_some(asio::buffer(&nothing_, 1),
                          [this, &work](const asio::error_code& failure, std::size_t) {
                            if (failure != asio::error::operation_aborted) end(work, &ServerWork::stop);
                          });
  work.start();
  loop_.run();
  work.finish();
}

void ServerProcess::wait_for_signal(ServerWork& work) {
  signals_.async_wait([this, &work](const asio::error_code& failure, int number) {
    if (failure) return;
    end(work, number == SIGHUP ? &ServerWork::retire : &ServerWork::stop);
    wait_for_signal(work);
  });
}

void ServerProcess::end(ServerWork& work, void (ServerWork::*how)()) {
  (work.*how)();
  loop_.drain();
}

int run_server(std::string_view program, const std::vector<std::string>& arguments, std::ostream& err,
               const std::function<Result<std::unique_ptr<ServerWork>>(ServerProcess&)>& make) {
  keep_memory();
  ServerProcess process;
  if (const Result<void> inherited = process.inherit(arguments); !inherited) {
    err << program << ": fatal: " << inherited.error().message << std::endl;
    return 1;
  }
  const Result<std::unique_ptr<ServerWork>> work = make(process);
  if (!work) {
    process.log().write({.program = program}, Severity::kInfo, concat("fatal: ", work.error().message));
    return 1;
  }
  process.run(**work);
  return 0;
}

Result<std::size_t> process_limit(const libconf::PlacedService& placed, const libconf::Settings& settings) {
  const std::string& field = placed.service.field(MasterField::kProcessLimit);
  std::size_t limit = 0;
  if (field != "-") {
    std::from_chars(field.data(), field.data() + field.size(), limit);  // The parser has checked it.
    return limit;
  }
  const Result<std::int64_t> by_default = settings.get_int("default_process_limit");
  if (!by_default) return by_default.error();
  return static_cast<std::size_t>(*by_default);
}

}  // namespace mta
