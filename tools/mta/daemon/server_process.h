/// A process that the master starts to serve entries of master.cf: what all such programs have in common.
///
///     int main(int argc, char** argv) {
///       return run_server("qmgr", {argv + 1, argv + argc}, std::cerr,
///                         [](ServerProcess& process) { return QueueManagerWork::create(process); });
///     }
///
/// The master passes on its end of a connection, its log, and the sockets of the program's services (see
/// server_group.h).
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"
#include "libconf/host.h"
#include "libconf/result.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/service.h"
#include "tools/mta/daemon/site.h"

namespace mta {

/// A socket that listens, and the service that it is of ("smtp/inet", as MasterService::key() has it).
struct PassedSocket {
  std::string service;
  int socket;
};

/// The arguments of a server program, and the descriptors that it is started with (start_process()):
///
///     -c DIR [--log] [--listen SERVICE]...
///
/// `control` is the program's end of a connection; `log` is that of maillog_file, or -1: syslog.
struct ServerStart {
  std::vector<std::string> arguments;
  std::vector<int> descriptors;
};
ServerStart server_start(const std::string& config_directory, int control, int log,
                         std::span<const PassedSocket> sockets);

class ServerProcess;

/// What a server program does. Not thread-safe.
class ServerWork {
 public:
  ServerWork() = default;
  ServerWork(const ServerWork&) = delete;
  ServerWork& operator=(const ServerWork&) = delete;
  virtual ~ServerWork() = default;

  /// The process is ready, and its loop about to run.
  virtual void start() {}

  /// Another process takes over (Service::retire()), or the mail system ends (Service::stop(), which may come
  /// later, too). The loop goes on as long as there is an EventLoop::Hold.
  virtual void retire() = 0;
  virtual void stop() = 0;

  /// The loop has ended.
  virtual void finish() {}
};

/// Not thread-safe.
class ServerProcess {
 public:
  asio::io_context& io() { return io_; }
  const Site& site() const { return *site_; }
  MailLog& log() { return *log_; }
  const libconf::Host& host() const { return host_; }

  /// The services of master.cf that there are sockets for, with these; each socket is given away once.
  struct Passed {
    const libconf::PlacedService& placed;
    std::vector<libconf::FileDescriptor> sockets;
  };
  std::vector<Passed> take_services();

  /// Gives a service its sockets. One that it cannot serve is no reason not to serve the others: Postfix's
  /// daemon ends when a client comes. It is logged for `program`.
  void listen(Service& service, Passed& passed, std::string_view program);

  /// Becomes mail_owner, for good, when it runs as root. Errors: kConfiguration, kInputOutput.
  libconf::Result<void> become_mail_owner();

 private:
  friend int run_server(
      std::string_view program, const std::vector<std::string>& arguments, std::ostream& err,
      const std::function<libconf::Result<std::unique_ptr<ServerWork>>(ServerProcess&)>& make);
  struct Inherited {
    std::string service;
    libconf::FileDescriptor socket;
  };

  ServerProcess() = default;
  libconf::Result<void> inherit(const std::vector<std::string>& arguments);
  void run(ServerWork& work);
  void wait_for_signal(ServerWork& work);
  void end(ServerWork& work, void (ServerWork::*how)());

  libconf::FileDescriptor control_;
  std::vector<Inherited> sockets_;
  std::unique_ptr<Site> site_;
  std::unique_ptr<MailLog> log_;
  libconf::Host host_ = libconf::system_host();
  asio::io_context io_;
  EventLoop loop_{io_};
  asio::signal_set signals_{io_};
  asio::posix::stream_descriptor master_{io_};
  char nothing_ = 0;
};

/// Runs what `make` makes until it is told to end: by SIGHUP, when another process has taken over; by
/// SIGTERM, or the end of the master. `make` has the rights of the master until it calls become_mail_owner();
/// its error is fatal. Returns the exit status.
int run_server(std::string_view program, const std::vector<std::string>& arguments, std::ostream& err,
               const std::function<libconf::Result<std::unique_ptr<ServerWork>>(ServerProcess&)>& make);

/// The process limit of an entry (master(5), maxproc): clients, or deliveries, at a time; 0: any number.
/// Errors: those of default_process_limit.
libconf::Result<std::size_t> process_limit(const libconf::PlacedService& placed,
                                           const libconf::Settings& settings);

}  // namespace mta
