#include "tools/mta/daemon/master.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/read.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "libconf/text.h"
#include "tools/mta/daemon/process.h"
#include "tools/mta/daemon/site.h"

namespace mta {
namespace {

using libconf::concat;
using namespace std::chrono_literals;

/// A server that lived as long is started again at once.
constexpr auto kLongLife = 10s;

std::string describe(int status) {
  if (WIFSIGNALED(status)) return concat("killed by signal ", std::to_string(WTERMSIG(status)));
  return concat("exit status ", std::to_string(WEXITSTATUS(status)));
}

}  // namespace

Master::Master(Options options, MailLog& log)
    : options_(std::move(options)), log_(log), signals_(io_, SIGTERM, SIGINT, SIGHUP), restart_timer_(io_) {
  signals_.add(SIGCHLD);
}

Result<void> Master::configure() {
  LogSink sink(log_, {.program = "master"});
  const Result<std::unique_ptr<Site>> site = Site::load(options_.config_directory, sink);
  if (!site) return site.error();
  const libconf::Settings& settings = (*site)->settings();
  const Result<std::chrono::seconds> throttle_time = settings.get_duration("service_throttle_time");
  if (!throttle_time) return throttle_time.error();
  const Result<Spool> spool = Spool::read(settings);
  if (!spool) return spool.error();
  if (!lock_) {
    if (Result<void> entered = spool->enter(); !entered) return entered;
    Result<MasterLock> lock = spool->lock();
    if (!lock) return lock.error();
    lock_.emplace(std::move(*lock));
  }
  throttle_time_ = *throttle_time;
  return listeners_.update(**site, spool->mail_owner(), sink);
}

Result<void> Master::start() {
  if (Result<void> configured = configure(); !configured) return configured;
  if (Result<void> written = lock_->write_pid(::getpid()); !written) return written;
  if (Result<void> started = start_server(); !started) return started;
  say(Severity::kInfo,
      concat("daemon started -- version ", options_.version, ", configuration ", options_.config_directory));
  return {};
}

void Master::run() {
  wait_for_signal();
  io_.run();
}

Result<void> Master::start_server() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return Error{.kind = ErrorKind::kInputOutput, .message = concat("socketpair: ", std::strerror(errno))};
  const libconf::FileDescriptor theirs(ends[1]);
  Server& server = servers_.emplace_back(io_);
  server.control.assign(ends[0]);

  std::vector<std::string> arguments = {"-c", options_.config_directory};
  std::vector<int> descriptors = {theirs.get()};
  if (log_.descriptor() >= 0) {
    arguments.emplace_back("--log");
    descriptors.push_back(log_.descriptor());
  }
  for (const Listener& listener : listeners_.all()) {
    arguments.insert(arguments.end(), {"--listen", listener.service});
    descriptors.push_back(listener.socket.get());
  }
  const Result<pid_t> pid = start_process(options_.server_program, std::move(arguments), descriptors);
  if (!pid) {
    servers_.pop_back();
    return pid.error();
  }
  server.pid = *pid;
  server.started = std::chrono::steady_clock::now();
  wait_until_ready(server);
  return {};
}

void Master::wait_until_ready(Server& server) {
  asio::async_read(server.control, asio::buffer(&server.ready, 1),
                   [this, pid = server.pid](const asio::error_code& failure, std::size_t) {
                     // What ends before it is ready is told by SIGCHLD.
                     if (failure) return;
                     for (Server& each : servers_) {
                       if (each.pid == pid) {
                         each.is_ready = true;
                         break;
                       }
                       ::kill(each.pid, SIGHUP);
                     }
                   });
}

void Master::wait_for_signal() {
  signals_.async_wait([this](const asio::error_code& failure, int number) {
    if (failure) return;
    switch (number) {
      case SIGCHLD:
        reap();
        break;
      case SIGHUP:
        if (!is_stopping_) reload();
        break;
      default:
        say(Severity::kInfo, concat("terminating on signal ", std::to_string(number)));
        stop();
    }
    if (!is_stopping_ || !servers_.empty()) wait_for_signal();
  });
}

void Master::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto server =
        std::find_if(servers_.begin(), servers_.end(), [&](const Server& each) { return each.pid == pid; });
    if (server != servers_.end()) ended(server, status);
  }
}

void Master::ended(Servers::iterator server, int status) {
  const bool takes_clients = &*server == &servers_.back();
  const bool lived_long = std::chrono::steady_clock::now() - server->started >= kLongLife;
  if (status != 0)
    say(Severity::kWarning, concat("process ", options_.server_program, " pid ", std::to_string(server->pid),
                                   " ", describe(status)));
  const bool was_ready = server->is_ready;
  servers_.erase(server);
  if (is_stopping_ || !takes_clients) return;
  // The one before goes on, if the new configuration is what the server stumbled over.
  if (!was_ready && !servers_.empty()) {
    say(Severity::kError, "the configuration of before stays in use, as no server starts with the new one");
    return;
  }
  if (lived_long) delay_ = 0s;
  restart_later();
}

void Master::restart_later() {
  if (delay_ > 0s)
    say(Severity::kWarning, concat(options_.server_program, ": bad command startup -- throttling for ",
                                   std::to_string(delay_.count()), " s"));
  restart_timer_.expires_after(delay_);
  delay_ = std::clamp(2 * delay_, 1s, std::max(throttle_time_, 1s));
  restart_timer_.async_wait([this](const asio::error_code& failure) {
    if (failure || is_stopping_) return;
    if (const Result<void> started = start_server(); !started) {
      say(Severity::kError, started.error().message);
      restart_later();
    }
  });
}

void Master::reload() {
  Result<void> done = configure();
  if (done) done = start_server();
  if (done) {
    delay_ = 0s;
    restart_timer_.cancel();
    say(Severity::kInfo,
        concat("reload -- version ", options_.version, ", configuration ", options_.config_directory));
  } else {
    say(Severity::kError,
        concat("reload failed, the configuration of before stays in use: ", done.error().message));
  }
}

void Master::stop() {
  is_stopping_ = true;
  restart_timer_.cancel();
  listeners_.close();
  for (const Server& server : servers_) ::kill(server.pid, SIGTERM);
}

}  // namespace mta
