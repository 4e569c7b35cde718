#include "tools/smtpd/run.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/mta/access/policy_client.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/process.h"
#include "tools/mta/daemon/site.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/delivery/probing_verifier.h"
#include "tools/mta/dns/cares_resolver.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/smtp/client_rates.h"
#include "tools/mta/smtp/rate_report.h"
#include "tools/smtpd/served_commands.h"
#include "tools/smtpd/stand_alone.h"
#include "tools/smtpd/transports.h"
#include "tools/smtpd/wake_up_timer.h"

namespace smtpd {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::MasterField;
using libconf::Result;
using libconf::Severity;

/// How many queue files are synced side by side.
constexpr int kCommitThreads = 8;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf and master.cf"},
    {'\0', "log", "", 0, "Descriptor 4 is the log"},
    {'\0', "stand-alone", "POSTDROP", 0, "Speak SMTP on standard input and output, and submit mail"},
    {'\0', "listen", "SERVICE", 0, "The next descriptor is a socket of this service"},
};
constexpr cli::Syntax kSyntax = {
    .program = "smtpd",
    .description = "Serves SMTP clients. It is started by the master.",
    .usage = "smtpd -c config_dir [--log] [--listen service]",
    .footer = "",
    .options = kOptions,
    .groups = kGroups,
};

/// What the master passed on.
struct Inheritance {
  std::string directory;
  FileDescriptor control;
  FileDescriptor log;
  struct Socket {
    std::string service;
    FileDescriptor socket;
  };
  std::vector<Socket> sockets;
};

Inheritance inherit(const cli::CommandLine& line) {
  Inheritance inheritance;
  inheritance.directory = line.value("config-directory").value_or("");
  int next = mta::kFirstInherited;
  inheritance.control = FileDescriptor(next++);
  for (const cli::Given& given : line.given) {
    if (given.option->name == "log") inheritance.log = FileDescriptor(next++);
    if (given.option->name == "listen") inheritance.sockets.push_back({given.value, FileDescriptor(next++)});
  }
  return inheritance;
}

/// For good: the process serves strangers from here on. The other groups of the user stay: sockets may be
/// theirs, as saslauthd's is (SASL_README).
Result<void> become(const mta::Identity& identity) {
  const passwd* const user = ::getpwuid(identity.user);
  if (user != nullptr && ::initgroups(user->pw_name, identity.group) == 0 && ::setgid(identity.group) == 0 &&
      ::setuid(identity.user) == 0)
    return {};
  return Error{.kind = ErrorKind::kInputOutput,
               .message = concat("cannot become mail_owner: ", std::strerror(errno))};
}

/// The process limit of a service: clients at a time.
Result<std::size_t> session_limit(const libconf::PlacedService& placed, const libconf::Settings& settings) {
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

class Process {
 public:
  Process(Inheritance inheritance, std::unique_ptr<mta::Site> site, std::unique_ptr<mta::MailLog> log)
      : inheritance_(std::move(inheritance)),
        site_(std::move(site)),
        log_(std::move(log)),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        control_(io_) {}

  Result<void> prepare();
  void run();

 private:
  Result<void> add_service(const libconf::PlacedService& placed);
  void wait_for_signal();
  /// Takes no more clients, and ends when those that are there have been served.
  void end(void (Service::*how)());

  Inheritance inheritance_;
  std::unique_ptr<mta::Site> site_;
  std::unique_ptr<mta::MailLog> log_;
  libconf::Host host_ = libconf::system_host();
  mta::HostsFile hosts_ = mta::HostsFile::load("/etc/hosts");
  asio::io_context io_;
  mta::EventLoop loop_{io_};
  asio::signal_set signals_;
  asio::posix::stream_descriptor control_;
  char nothing_ = 0;
  std::unique_ptr<mta::Resolver> resolver_;
  std::unique_ptr<Transports> transports_;
  std::unique_ptr<mta::ProbingVerifier> verifier_;
  std::unique_ptr<mta::PolicyService> policy_;
  std::optional<mta::QueueDirectory> queue_;
  std::optional<mta::GroupCommitter> committer_;
  std::optional<mta::ClientRates> rates_;
  std::optional<mta::RateReport> rate_report_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<std::unique_ptr<WakeUpTimer>> timers_;
};

Result<void> Process::add_service(const libconf::PlacedService& placed) {
  const std::string key = placed.service.key();
  const ServedCommand* const command = find_served_command(placed.service.field(MasterField::kCommand));
  const auto is_its = [&](const Inheritance::Socket& each) { return each.service == key; };
  if (command == nullptr || std::none_of(inheritance_.sockets.begin(), inheritance_.sockets.end(), is_its))
    return {};
  const auto failed = [&](const Error& error) {
    return Error{.kind = error.kind, .message = concat("service ", key, ": ", error.message)};
  };
  libconf::Settings settings = site_->settings().for_service(placed, site_->master_cf());
  const Result<std::size_t> limit = session_limit(placed, settings);
  if (!limit) return failed(limit.error());
  Result<std::unique_ptr<Service>> service = command->create({.name = placed.service.service(),
                                                              .settings = std::move(settings),
                                                              .process_limit = *limit,
                                                              .runtime = {.io = io_,
                                                                          .log = *log_,
                                                                          .host = host_,
                                                                          .hosts = hosts_,
                                                                          .resolver = *resolver_,
                                                                          .queue = *queue_,
                                                                          .committer = *committer_,
                                                                          .policy = *policy_,
                                                                          .verifier = *verifier_,
                                                                          .rates = *rates_}});
  if (!service) return failed(service.error());
  for (Inheritance::Socket& each : inheritance_.sockets) {
    if (!is_its(each)) continue;
    // Such an entry is no reason not to serve the others: Postfix's daemon ends when a client comes.
    if (const Result<void> listening =
            (*service)->listen(*mta::find_transport(placed.service.type()), std::move(each.socket));
        !listening)
      log_->write({.program = "smtpd"}, Severity::kWarning, failed(listening.error()).message);
  }
  services_.push_back(std::move(*service));
  timers_.push_back(
      std::make_unique<WakeUpTimer>(io_, placed.service.field(MasterField::kWakeup), *services_.back()));
  return {};
}

Result<void> Process::prepare() {
  const libconf::Settings& settings = site_->settings();
  const Result<mta::Spool> spool = mta::Spool::read(settings);
  if (!spool) return spool.error();
  Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(settings);
  if (!queue) return queue.error();
  queue_.emplace(std::move(*queue));
  committer_.emplace(kCommitThreads);
  Result<std::unique_ptr<mta::CaresResolver>> resolver = mta::CaresResolver::create(io_.get_executor(), {});
  if (!resolver) return resolver.error();
  resolver_ = std::move(*resolver);
  transports_ = std::make_unique<Transports>(
      *site_, mta::SmtpClientParts{
                  .executor = io_.get_executor(), .resolver = *resolver_, .log = *log_, .host = host_});
  Result<std::unique_ptr<mta::ProbingVerifier>> verifier = mta::ProbingVerifier::create(
      settings, {.io = io_, .log = *log_, .host = host_, .transports = *transports_});
  if (!verifier) return verifier.error();
  verifier_ = std::move(*verifier);
  const Result<std::chrono::seconds> time_unit = settings.get_duration("anvil_rate_time_unit");
  if (!time_unit) return time_unit.error();
  rates_.emplace(*time_unit, [] { return std::time(nullptr); });
  const Result<std::chrono::seconds> report_time = settings.get_duration("anvil_status_update_time");
  if (!report_time) return report_time.error();
  rate_report_.emplace(io_, *rates_, *log_, *report_time);
  const Result<std::string> level = settings.get("compatibility_level");
  if (!level) return level.error();
  const Result<std::string> version = settings.get("mail_version");
  if (!version) return version.error();
  policy_ = std::make_unique<mta::PolicyClient>(
      io_.get_executor(), mta::PolicyVersions{.compatibility_level = *level, .mail_version = *version});
  for (const libconf::PlacedService* const placed : site_->services())
    if (Result<void> added = add_service(*placed); !added) return added;
  if (spool->mail_owner())
    if (Result<void> became = become(*spool->mail_owner()); !became) return became;
  // Without, it is slower and no worse.
  if (const Result<void> kept = queue_->keep_files(); !kept)
    log_->write({.program = "smtpd"}, Severity::kWarning, kept.error().message);
  return {};
}

void Process::run() {
  control_.assign(inheritance_.control.release());
  [[maybe_unused]] const ssize_t told = ::write(control_.native_handle(), "", 1);
  wait_for_signal();
  // The master says nothing: what can be read is the end of the connection, and so of the master.
  control_.async_read_some(asio::buffer(&nothing_, 1), [this](const asio::error_code& failure, std::size_t) {
    if (failure != asio::error::operation_aborted) end(&Service::stop);
  });
  rate_report_->start();
  loop_.run();
  rate_report_->write();
}

void Process::wait_for_signal() {
  signals_.async_wait([this](const asio::error_code& failure, int number) {
    if (failure) return;
    end(number == SIGHUP ? &Service::retire : &Service::stop);
    wait_for_signal();
  });
}

void Process::end(void (Service::*how)()) {
  rate_report_->stop();
  for (const auto& timer : timers_) timer->stop();
  for (const auto& service : services_) (service.get()->*how)();
  loop_.drain();
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& err) {
  const auto fatal = [&](std::string_view message) {
    err << "smtpd: fatal: " << message << std::endl;
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fatal(line.error().message);
  if (const std::optional<std::string> postdrop = line->value("stand-alone"))
    return serve_stand_alone(line->value("config-directory").value_or(""), *postdrop, err);
  Inheritance inheritance = inherit(*line);
  libconf::DiagnosticDiscard warnings;  // The master has said them.
  Result<std::unique_ptr<mta::Site>> site = mta::Site::load(inheritance.directory, warnings);
  if (!site) return fatal(site.error().message);
  Result<std::unique_ptr<mta::MailLog>> log =
      mta::MailLog::adopt((*site)->settings(), std::move(inheritance.log));
  if (!log) return fatal(log.error().message);
  mta::MailLog& to_log = **log;
  Process process(std::move(inheritance), std::move(*site), std::move(*log));
  if (const Result<void> prepared = process.prepare(); !prepared) {
    to_log.write({.program = "smtpd"}, Severity::kInfo, concat("fatal: ", prepared.error().message));
    return 1;
  }
  process.run();
  return 0;
}

}  // namespace smtpd
