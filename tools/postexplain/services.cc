#include "tools/postexplain/services.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <exception>

#include "libconf/text.h"
#include "tools/mta/daemon/settings_reader.h"

namespace postexplain {

using libconf::concat;
using libconf::MasterField;
using libconf::Result;

namespace {

/// What services(5) calls the ports that mail comes in by.
struct PortName {
  std::string_view name;
  std::string_view port;
};
constexpr std::array kPortNames = {PortName{"smtp", "25"}, PortName{"submission", "587"},
                                   PortName{"submissions", "465"}, PortName{"smtps", "465"}};

bool is_same_port(std::string_view a, std::string_view b) {
  const auto number = [](std::string_view name) {
    const auto* const known = std::find_if(kPortNames.begin(), kPortNames.end(),
                                           [&](const PortName& each) { return each.name == name; });
    return known == kPortNames.end() ? name : known->port;
  };
  return number(a) == number(b);
}

/// "25" of "192.0.2.1:25".
std::string_view port_of(std::string_view service) { return service.substr(service.rfind(':') + 1); }

}  // namespace

void RecordedLog::put(libconf::Severity, std::string_view, std::string_view text) {
  recorder_.add({.kind = "log", .text = concat("log: ", text), .facts = {{"line", std::string(text)}}});
}

Result<std::unique_ptr<Services>> Services::open(Setup setup) {
  std::unique_ptr<Services> services(new Services(std::move(setup)));
  Result<std::unique_ptr<mta::Site>> site = mta::Site::load(services->setup_.directory, services->oddities_);
  if (!site) return site.error();
  services->site_ = std::move(*site);
  if (Result<void> found = services->find_entry(); !found) return found.error();
  const mta::TableObservation observation(*services->recorder_);
  for (const auto step :
       {&Services::read_settings, &Services::open_intake, &Services::open_access, &Services::open_router})
    if (Result<void> done = (services.get()->*step)(); !done) return done.error();
  return services;
}

Result<void> Services::finish(asio::awaitable<void> task) {
  bool is_done = false;
  asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& failure) {
    is_done = true;
    if (failure) std::rethrow_exception(failure);
  });
  // Not waited for: what else the loop has, such as timers of kept connections.
  io_.restart();
  while (!is_done && io_.run_one() > 0) {
  }
  if (is_done) return {};
  return libconf::Error{.kind = libconf::ErrorKind::kTemporary,
                        .message = "the session does not come to an end"};
}

/// The service by its name; else the one at the same port. Behind a screen (postscreen(8)) it is `smtpd
/// pass`.
Result<void> Services::find_entry() {
  const std::string& wanted = setup_.service;
  const auto is_smtpd = [](const libconf::PlacedService* each) {
    return each->service.field(MasterField::kCommand) == "smtpd";
  };
  const auto& all = site_->services();
  auto found = std::find_if(all.begin(), all.end(), [&](const auto* each) {
    return is_smtpd(each) && each->service.service() == wanted;
  });
  if (found == all.end())
    found = std::find_if(all.begin(), all.end(), [&](const auto* each) {
      return is_smtpd(each) && is_same_port(port_of(each->service.service()), wanted);
    });
  const bool is_screened = std::any_of(all.begin(), all.end(), [&](const auto* each) {
    return each->service.field(MasterField::kCommand) == "postscreen" &&
           is_same_port(port_of(each->service.service()), wanted);
  });
  if (found == all.end() && is_screened)
    found = std::find_if(all.begin(), all.end(),
                         [&](const auto* each) { return is_smtpd(each) && each->service.type() == "pass"; });
  if (found == all.end())
    return libconf::configuration_error(
        concat(site_->master_cf().file(), " has no smtpd service \"", wanted, "\""));
  entry_ = *found;
  settings_.emplace(site_->settings().for_service(*entry_, site_->master_cf()));
  cleanup_settings_.emplace(settings_->of_peer("cleanup_service_name"));
  const auto queue = std::find_if(all.begin(), all.end(), [](const auto* each) {
    return each->service.field(MasterField::kCommand) == "qmgr";
  });
  queue_settings_.emplace(queue == all.end() ? site_->settings()
                                             : site_->settings().for_service(**queue, site_->master_cf()));
  recorder_.emplace(*settings_);
  for (const libconf::Diagnostic& each : oddities_.items()) recorder_->report(each);
  log_.emplace(*recorder_);
  return {};
}

Result<void> Services::read_settings() {
  mta::SettingsReader reader(*settings_);
  reader.text("content_filter", content_filter);
  reader.text("smtpd_proxy_filter", proxy_filter);
  reader.text("myhostname", myhostname);
  reader.flag("smtpd_sasl_auth_enable", has_auth);
  reader.flag("smtpd_peername_lookup", looks_up_names);
  reader.flag("strict_rfc821_envelopes", is_strict);
  if (reader.error()) return *reader.error();
  const Result<mta::ReceiveOverrides> read = mta::ReceiveOverrides::read(*settings_);
  if (!read) return read.error();
  overrides = *read;
  overrides.apply_to(*settings_);
  Result<mta::MilterSettings> filters = mta::MilterSettings::read(*settings_, "smtpd_milters");
  if (!filters) return filters.error();
  milters = std::move(*filters);
  Result<std::unique_ptr<DryServices>> outside =
      DryServices::create(setup_.dns, setup_.answers, *recorder_, io_, *settings_);
  if (!outside) return outside.error();
  outside_ = std::move(*outside);
  return {};
}

Result<void> Services::open_intake() {
  Result<mta::IntakeOptions> options = mta::IntakeOptions::read(*cleanup_settings_);
  if (!options) return options.error();
  intake = std::move(*options);
  Result<mta::ContentChecks> opened =
      mta::ContentChecks::open(*cleanup_settings_, {.settings = *cleanup_settings_, .warnings = *recorder_});
  if (!opened) return opened.error();
  checks = std::move(*opened);
  Result<std::unique_ptr<mta::AddressServices>> created =
      mta::AddressServices::create(*settings_, host_, *recorder_);
  if (!created) return created.error();
  addresses = std::move(*created);
  addresses->set_trace([this](std::string_view step, std::string_view before, std::string_view after) {
    recorder_->add(
        {.kind = "rewrite",
         .text = concat(step, ": ", before, " -> ", after),
         .is_detail = before == after,
         .facts = {
             {"step", std::string(step)}, {"before", std::string(before)}, {"after", std::string(after)}}});
  });
  return {};
}

Result<void> Services::open_access() {
  const auto& domains = addresses->local_domains();
  mta::AccessSite site{.is_local_site = mta::is_site_of(domains)};
  for (const libmaps::IpAddress& address : domains->addresses())
    site.interface_addresses.push_back(libmaps::to_string(address));
  const libmaps::TableContext context{.settings = *settings_, .warnings = *recorder_};
  dns_.emplace(outside_->resolver(), *recorder_);
  if (Result<void> opened = dns_->open("smtpd_dns_reply_filter", context); !opened) return opened.error();
  const mta::AccessServices others{.resolver = *dns_,
                                   .hosts = outside_->resolver(),
                                   .addresses = *addresses,
                                   .verifier = outside_->verifier(),
                                   .policy = outside_->policy(),
                                   .sleep = [](std::chrono::seconds) -> asio::awaitable<void> { co_return; }};
  Result<std::unique_ptr<mta::AccessEngine>> engine =
      mta::AccessEngine::create(*settings_, others, std::move(site), *recorder_);
  if (!engine) return engine.error();
  access = std::move(*engine);
  Result<mta::LocalClients> clients = mta::LocalClients::open(context, domains->addresses());
  if (!clients) return clients.error();
  local_clients.emplace(std::move(*clients));
  Result<mta::RejectReplies> rejects = mta::RejectReplies::open(context);
  if (!rejects) return rejects.error();
  replies = std::move(*rejects);
  return {};
}

Result<void> Services::open_router() {
  Result<std::unique_ptr<mta::MailRouter>> created = mta::MailRouter::create(*queue_settings_, host_, *log_);
  if (!created) return created.error();
  router = std::move(*created);
  return {};
}

}  // namespace postexplain
