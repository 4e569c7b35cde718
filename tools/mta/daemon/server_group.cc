#include "tools/mta/daemon/server_group.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/read.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "libconf/text.h"
#include "tools/mta/daemon/process.h"

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

void ServerGroup::configure(std::vector<PassedSocket> sockets, std::chrono::seconds throttle_time) {
  sockets_ = std::move(sockets);
  throttle_time_ = throttle_time;
}

Result<void> ServerGroup::start() {
  delay_ = 0s;
  restart_timer_.cancel();
  if (!sockets_.empty()) return start_server();
  retire_all();
  return {};
}

Result<void> ServerGroup::start_server() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return Error{.kind = ErrorKind::kInputOutput, .message = concat("socketpair: ", std::strerror(errno))};
  const libconf::FileDescriptor theirs(ends[1]);
  Server& server = servers_.emplace_back(io_);
  server.control.assign(ends[0]);
  ServerStart start = server_start(options_.config_directory, theirs.get(), log_.descriptor(), sockets_);
  const Result<pid_t> pid = start_process(options_.program, std::move(start.arguments), start.descriptors);
  if (!pid) {
    servers_.pop_back();
    return pid.error();
  }
  server.pid = *pid;
  server.started = std::chrono::steady_clock::now();
  wait_until_ready(server);
  return {};
}

void ServerGroup::wait_until_ready(Server& server) {
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

void ServerGroup::retire_all() {
  for (const Server& each : servers_) ::kill(each.pid, SIGHUP);
}

bool ServerGroup::ended(pid_t pid, int status) {
  const auto server =
      std::find_if(servers_.begin(), servers_.end(), [&](const Server& each) { return each.pid == pid; });
  if (server == servers_.end()) return false;
  const bool was_last = &*server == &servers_.back();
  const bool lived_long = std::chrono::steady_clock::now() - server->started >= kLongLife;
  if (status != 0)
    say(Severity::kWarning,
        concat("process ", options_.program, " pid ", std::to_string(pid), " ", describe(status)));
  const bool was_ready = server->is_ready;
  servers_.erase(server);
  if (is_stopping_ || !was_last || sockets_.empty()) return true;
  // The one before goes on, if the new configuration is what the server stumbled over.
  if (!was_ready && !servers_.empty()) {
    say(Severity::kError, "the configuration of before stays in use, as no server starts with the new one");
    return true;
  }
  if (lived_long) delay_ = 0s;
  restart_later();
  return true;
}

void ServerGroup::restart_later() {
  if (delay_ > 0s)
    say(Severity::kWarning, concat(options_.program, ": bad command startup -- throttling for ",
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

void ServerGroup::stop(int signal) {
  is_stopping_ = true;
  restart_timer_.cancel();
  for (const Server& server : servers_) ::kill(server.pid, signal);
}

}  // namespace mta
