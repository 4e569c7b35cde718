#include "tools/smtpd/run.h"

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <ctime>
#include <memory>
#include <optional>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/mta/access/policy_client.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/queue_trigger.h"
#include "tools/mta/daemon/server_process.h"
#include "tools/mta/daemon/wake_up_timer.h"
#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/probing_verifier.h"
#include "tools/mta/delivery/transports.h"
#include "tools/mta/dns/cares_resolver.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/smtp/client_rates.h"
#include "tools/mta/smtp/rate_report.h"
#include "tools/smtpd/served_commands.h"
#include "tools/smtpd/stand_alone.h"

namespace smtpd {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::MasterField;
using libconf::Result;
using libconf::Severity;

constexpr std::string_view kProgram = "smtpd";
constexpr std::string_view kStandAlone = "stand-alone";

/// How many queue files are synced side by side.
constexpr int kCommitThreads = 8;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf and master.cf"},
    {'\0', kStandAlone, "POSTDROP", 0, "Speak SMTP on standard input and output, and submit mail"},
};
constexpr cli::Syntax kStandAloneSyntax = {
    .program = kProgram,
    .description = "Serves an SMTP client.",
    .usage = "smtpd -c config_dir --stand-alone postdrop",
    .footer = "",
    .options = kOptions,
    .groups = kGroups,
};

/// All services of the process, and what they share.
class Services final : public mta::ServerWork {
 public:
  static Result<std::unique_ptr<mta::ServerWork>> create(mta::ServerProcess& process) {
    auto services = std::unique_ptr<Services>(new Services(process));
    if (const Result<void> prepared = services->prepare(); !prepared) return prepared.error();
    return std::unique_ptr<mta::ServerWork>(std::move(services));
  }

  void start() override { rate_report_->start(); }
  void retire() override { end(&mta::Service::retire); }
  void stop() override { end(&mta::Service::stop); }
  void finish() override { rate_report_->write(); }

 private:
  explicit Services(mta::ServerProcess& process) : process_(process) {}
  Result<void> prepare();
  Result<void> add_service(mta::ServerProcess::Passed& passed);
  /// Takes no more clients, and ends when those that are there have been served.
  void end(void (mta::Service::*how)());

  mta::ServerProcess& process_;
  mta::HostsFile hosts_ = mta::HostsFile::load("/etc/hosts");
  std::unique_ptr<mta::Resolver> resolver_;
  std::unique_ptr<mta::Transports> transports_;
  std::unique_ptr<mta::ProbingVerifier> verifier_;
  std::unique_ptr<mta::PolicyService> policy_;
  std::optional<mta::QueueDirectory> queue_;
  std::optional<mta::GroupCommitter> committer_;
  std::optional<mta::QueueTrigger> trigger_;
  std::unique_ptr<mta::InternalMailService> internal_mail_;
  std::optional<mta::ClientRates> rates_;
  std::optional<mta::RateReport> rate_report_;
  std::vector<std::unique_ptr<mta::Service>> services_;
  std::vector<std::unique_ptr<mta::WakeUpTimer>> timers_;
};

Result<void> Services::add_service(mta::ServerProcess::Passed& passed) {
  const libconf::PlacedService& placed = passed.placed;
  const ServedCommand* const command = find_served_command(placed.service.field(MasterField::kCommand));
  if (command == nullptr) return {};
  const auto failed = [&](const Error& error) {
    return Error{.kind = error.kind,
                 .message = concat("service ", placed.service.key(), ": ", error.message)};
  };
  const mta::Site& site = process_.site();
  libconf::Settings settings = site.settings().for_service(placed, site.master_cf());
  const Result<std::size_t> limit = mta::process_limit(placed, settings);
  if (!limit) return failed(limit.error());
  Result<std::unique_ptr<mta::Service>> service =
      command->create({.name = placed.service.service(),
                       .settings = std::move(settings),
                       .process_limit = *limit,
                       .runtime = {.io = process_.io(),
                                   .log = process_.log(),
                                   .host = process_.host(),
                                   .hosts = hosts_,
                                   .resolver = *resolver_,
                                   .queue = *queue_,
                                   .committer = *committer_,
                                   .policy = *policy_,
                                   .verifier = *verifier_,
                                   .rates = *rates_,
                                   .trigger = &*trigger_,
                                   .internal_mail = internal_mail_.get()}});
  if (!service) return failed(service.error());
  process_.listen(**service, passed, kProgram);
  services_.push_back(std::move(*service));
  timers_.push_back(std::make_unique<mta::WakeUpTimer>(
      process_.io(), placed.service.field(MasterField::kWakeup), *services_.back()));
  return {};
}

Result<void> Services::prepare() {
  asio::io_context& io = process_.io();
  const mta::Site& site = process_.site();
  const libconf::Settings& settings = site.settings();
  Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(settings);
  if (!queue) return queue.error();
  queue_.emplace(std::move(*queue));
  committer_.emplace(kCommitThreads);
  const Result<std::string> queue_service = settings.get("queue_service_name");
  if (!queue_service) return queue_service.error();
  trigger_.emplace(io, concat("public/", *queue_service));
  auto internal_mail = mta::InternalMailService::create(settings, {.executor = io.get_executor(),
                                                                   .log = process_.log(),
                                                                   .host = process_.host(),
                                                                   .queue = *queue_,
                                                                   .committer = *committer_,
                                                                   .trigger = &*trigger_});
  if (!internal_mail) return internal_mail.error();
  internal_mail_ = std::move(*internal_mail);
  Result<std::unique_ptr<mta::CaresResolver>> resolver = mta::CaresResolver::create(io.get_executor(), {});
  if (!resolver) return resolver.error();
  resolver_ = std::move(*resolver);
  transports_ =
      std::make_unique<mta::Transports>(site, mta::SmtpClientParts{.executor = io.get_executor(),
                                                                   .resolver = *resolver_,
                                                                   .log = process_.log(),
                                                                   .host = process_.host(),
                                                                   .internal_mail = internal_mail_.get()});
  Result<std::unique_ptr<mta::ProbingVerifier>> verifier = mta::ProbingVerifier::create(
      settings, {.io = io, .log = process_.log(), .host = process_.host(), .transports = *transports_});
  if (!verifier) return verifier.error();
  verifier_ = std::move(*verifier);
  const Result<std::chrono::seconds> time_unit = settings.get_duration("anvil_rate_time_unit");
  if (!time_unit) return time_unit.error();
  rates_.emplace(*time_unit, [] { return std::time(nullptr); });
  const Result<std::chrono::seconds> report_time = settings.get_duration("anvil_status_update_time");
  if (!report_time) return report_time.error();
  rate_report_.emplace(io, *rates_, process_.log(), *report_time);
  const Result<std::string> level = settings.get("compatibility_level");
  if (!level) return level.error();
  const Result<std::string> version = settings.get("mail_version");
  if (!version) return version.error();
  policy_ = std::make_unique<mta::PolicyClient>(
      io.get_executor(), mta::PolicyVersions{.compatibility_level = *level, .mail_version = *version});
  for (mta::ServerProcess::Passed& passed : process_.take_services())
    if (Result<void> added = add_service(passed); !added) return added;
  if (Result<void> became = process_.become_mail_owner(); !became) return became;
  // Without, it is slower and no worse.
  if (const Result<void> kept = queue_->keep_files(); !kept)
    process_.log().write({.program = kProgram}, Severity::kWarning, kept.error().message);
  return {};
}

void Services::end(void (mta::Service::*how)()) {
  rate_report_->stop();
  for (const auto& timer : timers_) timer->stop();
  for (const auto& service : services_) (service.get()->*how)();
}

int stand_alone(const std::vector<std::string>& arguments, std::ostream& err) {
  const Result<cli::CommandLine> line = cli::parse(kStandAloneSyntax, arguments);
  if (!line) {
    err << "smtpd: fatal: " << line.error().message << std::endl;
    return 1;
  }
  return serve_stand_alone(line->value("config-directory").value_or(""),
                           line->value(kStandAlone).value_or(""), err);
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& err) {
  const std::string option = concat("--", kStandAlone);
  const bool is_alone = std::find(arguments.begin(), arguments.end(), option) != arguments.end();
  return is_alone ? stand_alone(arguments, err) : mta::run_server(kProgram, arguments, err, Services::create);
}

}  // namespace smtpd
