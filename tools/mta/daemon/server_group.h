/// The processes of one server program: the one that serves, and those before it that have not ended yet.
///
///     ServerGroup group(io, log, {.program = "/usr/libexec/postkit/smtpd", .config_directory = directory});
///     group.configure(sockets, throttle_time);
///     Result<void> started = group.start();
///     group.ended(pid, status);      // for each process that has ended
///
/// When a new process is ready, those before it (SIGHUP) take no more work and end by and by. A process that
/// dies is started again: at once, when it had served for a while, else after a delay that doubles up to
/// service_throttle_time.
#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/server_process.h"

namespace mta {

/// Not thread-safe. What it waits for must be over when it is destroyed.
class ServerGroup {
 public:
  struct Options {
    std::string program;  ///< A path; see server_start() for what it is given.
    std::string config_directory;
  };

  ServerGroup(asio::io_context& io, MailLog& log, Options options)
      : io_(io), log_(log), options_(std::move(options)), restart_timer_(io) {}

  /// From now on, processes get these sockets, which must stay open, and the delay before one is started
  /// again grows up to `throttle_time`. Without sockets there is nothing to be started.
  void configure(std::vector<PassedSocket> sockets, std::chrono::seconds throttle_time);

  /// Starts a process, as configured. Errors: kInputOutput.
  libconf::Result<void> start();

  /// A process has ended; false: it was none of these.
  bool ended(pid_t pid, int status);

  /// Ends all processes with this signal, and starts none any more: SIGTERM, or SIGKILL.
  void stop(int signal);

  bool is_empty() const { return servers_.empty(); }

 private:
  struct Server {
    explicit Server(asio::io_context& io) : control(io) {}
    pid_t pid = 0;
    asio::posix::stream_descriptor control;  ///< It writes a byte when it is ready.
    char ready = 0;
    bool is_ready = false;
    std::chrono::steady_clock::time_point started;
  };

  libconf::Result<void> start_server();
  void wait_until_ready(Server& server);
  void retire_all();
  void restart_later();
  void say(Severity severity, std::string_view text) { log_.write({.program = "master"}, severity, text); }

  asio::io_context& io_;
  MailLog& log_;
  Options options_;
  asio::steady_timer restart_timer_;
  std::vector<PassedSocket> sockets_;
  std::list<Server> servers_;  ///< The last is the one that works, once it is ready.
  std::chrono::seconds throttle_time_{0};
  std::chrono::seconds delay_{0};  ///< Before the next restart.
  bool is_stopping_ = false;
};

}  // namespace mta
