/// master(8): owns the listening sockets, and keeps a process running that serves them.
///
///     Master master({.config_directory = "/etc/postfix", .server_program = "/usr/libexec/postkit/smtpd"},
///     log); Result<void> started = master.start(); master.run();
///
/// The server gets the sockets when it starts. At a reload (SIGHUP) a new one starts with the new
/// configuration; when it is ready, the old one (SIGHUP) takes no more clients and ends with its last
/// session. A configuration with an error changes nothing. SIGTERM ends servers (SIGTERM) when the messages
/// on their way are received, and then run(). A server that dies is started again: at once, when it had
/// served for a while, else after a delay that doubles up to service_throttle_time.
#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "libconf/handle.h"
#include "tools/mta/daemon/listener_set.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/spool.h"

namespace mta {

/// Not thread-safe. It handles SIGTERM, SIGINT, SIGHUP and SIGCHLD of the process.
class Master {
 public:
  struct Options {
    std::string config_directory;
    std::string server_program;  ///< A path; see server_process.h for what it is given.
    std::string version;
  };

  Master(Options options, MailLog& log);

  /// Takes the lock, opens the sockets, starts the server. Errors: those of main.cf and master.cf with file
  /// and line; kTemporary, when the mail system is already running; kInputOutput.
  Result<void> start();

  /// Serves until SIGTERM or SIGINT, and until the servers have ended. REQUIRES: start().
  void run();

 private:
  /// A process of server_program.
  struct Server {
    explicit Server(asio::io_context& io) : control(io) {}
    pid_t pid = 0;
    asio::posix::stream_descriptor control;  ///< It writes a byte when it is ready.
    char ready = 0;
    bool is_ready = false;
    std::chrono::steady_clock::time_point started;
  };
  using Servers = std::list<Server>;

  /// Reads the configuration, and gets the sockets that it has.
  Result<void> configure();
  Result<void> start_server();
  void wait_for_signal();
  void wait_until_ready(Server& server);
  void reap();
  void ended(Servers::iterator server, int status);
  void restart_later();
  void reload();
  void stop();
  void say(Severity severity, std::string_view text) { log_.write({.program = "master"}, severity, text); }

  Options options_;
  MailLog& log_;
  asio::io_context io_;
  asio::signal_set signals_;
  asio::steady_timer restart_timer_;
  std::optional<MasterLock> lock_;
  ListenerSet listeners_;
  Servers servers_;  ///< The last is the one that takes clients, once it is ready.
  std::chrono::seconds throttle_time_{0};
  std::chrono::seconds delay_{0};  ///< Before the next restart.
  bool is_stopping_ = false;
};

}  // namespace mta
