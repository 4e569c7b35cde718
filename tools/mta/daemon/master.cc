#include "tools/mta/daemon/master.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "libconf/text.h"
#include "tools/mta/daemon/service_role.h"
#include "tools/mta/daemon/site.h"

namespace mta {

using libconf::concat;

Master::Master(Options options, MailLog& log)
    : options_(std::move(options)), log_(log), signals_(io_, SIGTERM, SIGINT, SIGHUP) {
  signals_.add(SIGCHLD);
  signals_.add(SIGQUIT);
  for (const std::string_view program : kServerPrograms)
    groups_.push_back({program, ServerGroup(io_, log_,
                                            {.program = concat(options_.server_directory, "/", program),
                                             .config_directory = options_.config_directory})});
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
  // For those who rotate it by its name.
  if (Result<void> reopened = log_.reopen(settings); !reopened) return reopened;
  if (!lock_) {
    if (Result<void> entered = spool->enter(); !entered) return entered;
    Result<MasterLock> lock = spool->lock();
    if (!lock) return lock.error();
    lock_.emplace(std::move(*lock));
  }
  if (Result<void> updated = listeners_.update(**site, spool->mail_owner(), sink); !updated) return updated;
  for (Group& group : groups_) {
    std::vector<PassedSocket> sockets;
    for (const Listener& each : listeners_.all())
      if (each.program == group.program) sockets.push_back({each.service, each.socket.get()});
    group.servers.configure(std::move(sockets), *throttle_time);
  }
  return {};
}

Result<void> Master::start() {
  if (Result<void> configured = configure(); !configured) return configured;
  if (Result<void> written = lock_->write_pid(::getpid()); !written) return written;
  if (Result<void> started = start_servers(); !started) return started;
  say(Severity::kInfo,
      concat("daemon started -- version ", options_.version, ", configuration ", options_.config_directory));
  return {};
}

void Master::run() {
  wait_for_signal();
  io_.run();
}

Result<void> Master::start_servers() {
  for (Group& group : groups_)
    if (Result<void> started = group.servers.start(); !started) return started;
  return {};
}

bool Master::has_servers() const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [](const Group& group) { return !group.servers.is_empty(); });
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
        // What was acknowledged is on the disk, whenever a server ends.
        stop(number == SIGQUIT ? SIGKILL : SIGTERM);
    }
    if (!is_stopping_ || has_servers()) wait_for_signal();
  });
}

void Master::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
    for (Group& group : groups_)
      if (group.servers.ended(pid, status)) break;
}

void Master::reload() {
  Result<void> done = configure();
  if (done) done = start_servers();
  if (done) {
    say(Severity::kInfo,
        concat("reload -- version ", options_.version, ", configuration ", options_.config_directory));
  } else {
    say(Severity::kError,
        concat("reload failed, the configuration of before stays in use: ", done.error().message));
  }
}

void Master::stop(int signal) {
  is_stopping_ = true;
  listeners_.close();
  for (Group& group : groups_) group.servers.stop(signal);
}

}  // namespace mta
