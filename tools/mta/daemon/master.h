/// master(8): owns the listening sockets, and keeps processes running that serve them.
///
///     Master master({.config_directory = "/etc/postfix", .server_directory = "/usr/libexec/postkit"}, log);
///     Result<void> started = master.start();
///     master.run();
///
/// There is a process for each of kServerPrograms whose services master.cf has; it gets their sockets when it
/// starts. At a reload (SIGHUP) new ones start with the new configuration, and take over when they are ready.
/// A configuration with an error changes nothing. SIGTERM ends servers (SIGTERM) when the messages on their
/// way are received, and then run(). A server that dies is started again; see server_group.h.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <list>
#include <optional>
#include <string>

#include "tools/mta/daemon/listener_set.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/server_group.h"
#include "tools/mta/daemon/spool.h"

namespace mta {

/// Not thread-safe. It handles SIGTERM, SIGINT, SIGQUIT, SIGHUP and SIGCHLD of the process.
class Master {
 public:
  struct Options {
    std::string config_directory;
    std::string server_directory;  ///< Of the server programs.
    std::string version;
  };

  Master(Options options, MailLog& log);

  /// Takes the lock, opens the sockets, starts the servers. Errors: those of main.cf and master.cf with file
  /// and line; kTemporary, when the mail system is already running; kInputOutput.
  Result<void> start();

  /// Serves until SIGTERM, SIGINT or SIGQUIT (abort), and until the servers have ended. REQUIRES: start().
  void run();

 private:
  /// Reads the configuration, and gets the sockets that it has.
  Result<void> configure();
  Result<void> start_servers();
  void wait_for_signal();
  void reap();
  bool has_servers() const;
  void reload();
  /// The servers end by this signal.
  void stop(int signal);
  void say(Severity severity, std::string_view text) { log_.write({.program = "master"}, severity, text); }

  Options options_;
  MailLog& log_;
  asio::io_context io_;
  asio::signal_set signals_;
  std::optional<MasterLock> lock_;
  ListenerSet listeners_;
  /// Of a program, by its name.
  struct Group {
    std::string_view program;
    ServerGroup servers;
  };
  std::list<Group> groups_;
  bool is_stopping_ = false;
};

}  // namespace mta
