#include "tools/mta/smtp/smtp_service.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/daemon/settings_reader.h"
#include "tools/mta/daemon/waiting_table.h"
#include "tools/mta/submission/postdrop_destination.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;
using libmaps::MatchKind;
using libmaps::MatchList;

void SmtpService::log(Severity severity, std::string_view text) const {
  runtime_.log.write(tag(), severity, text);
}

Result<void> SmtpService::read_settings() {
  SettingsReader reader(settings_);
  reader.text("syslog_name", syslog_name_);
  reader.text("mail_name", mail_name_);
  reader.text("service_name", name_);
  reader.text("stress", stress_);
  reader.text("content_filter", content_filter_);
  reader.duration("smtpd_timeout", timeout_);
  reader.flag("smtpd_peername_lookup", looks_up_names_);
  reader.count("queue_minfree", space_.minimal_free);
  if (reader.error()) return *reader.error();
  warnings_.emplace(runtime_.log, tag());
  Result<ServerOptions> options = read_server_options(settings_);
  if (!options) return options.error();
  options_ = std::move(*options);
  const Result<ErrorLimits> limits = read_error_limits(settings_);
  if (!limits) return limits.error();
  error_limits_ = *limits;
  space_.message_size_limit = options_.message_size_limit;
  Result<IntakeOptions> intake = IntakeOptions::read(cleanup_settings_);
  if (!intake) return intake.error();
  intake_ = std::move(*intake);
  const Result<ReceiveOverrides> overrides = ReceiveOverrides::read(settings_);
  if (!overrides) return overrides.error();
  overrides_ = *overrides;
  overrides_.apply_to(settings_);
  Result<ProxyOptions> proxy = ProxyOptions::read(settings_);
  if (!proxy) return proxy.error();
  proxy_ = std::move(*proxy);
  Result<MilterSettings> milters = MilterSettings::read(settings_, "smtpd_milters");
  if (!milters) return milters.error();
  milters_ = std::move(*milters);
  return {};
}

Result<void> SmtpService::open_lists() {
  const libmaps::TableContext context{.settings = settings_, .warnings = *warnings_};
  const struct {
    std::string_view parameter;
    MatchKind kind;
    std::optional<MatchList>& list;
  } lists[] = {
      {"smtpd_authorized_xclient_hosts", MatchKind::kNetworks, xclient_hosts_},
      {"smtpd_authorized_xforward_hosts", MatchKind::kNetworks, xforward_hosts_},
      {"smtpd_authorized_verp_clients", MatchKind::kNetworks, verp_clients_},
      {"debug_peer_list", MatchKind::kNetworks, debug_peers_},
      {"smtpd_noop_commands", MatchKind::kStrings, noop_commands_},
      {"smtpd_forbidden_commands", MatchKind::kStrings, forbidden_commands_},
  };
  for (const auto& [parameter, kind, list] : lists) {
    Result<MatchList> opened = open_list(parameter, {.kind = kind}, context);
    if (!opened) return opened.error();
    list.emplace(std::move(*opened));
  }
  dns_.emplace(runtime_.resolver, *warnings_);
  if (Result<void> opened = dns_->open("smtpd_dns_reply_filter", context); !opened) return opened.error();
  auto milter_maps = open_tables("smtpd_milter_maps", context);
  if (!milter_maps) return milter_maps.error();
  milter_maps_ = std::move(*milter_maps);
  Result<ContentChecks> checks =
      ContentChecks::open(cleanup_settings_, {.settings = cleanup_settings_, .warnings = *warnings_});
  if (!checks) return checks.error();
  checks_ = std::move(*checks);
  return {};
}

Result<void> SmtpService::open_tls_and_auth() {
  Result<std::unique_ptr<ServerTls>> tls = ServerTls::create(settings_, *warnings_);
  if (!tls) return tls.error();
  tls_ = std::move(*tls);
  const libmaps::TableContext context{.settings = settings_, .warnings = *warnings_};
  const MatchList::OpenTable open = [&](std::string_view spec) { return open_table(spec, context); };
  Result<std::unique_ptr<ServerAuth>> auth =
      ServerAuth::create(settings_, runtime_.io.get_executor(), open, *warnings_);
  if (!auth) return auth.error();
  auth_ = std::move(*auth);
  return {};
}

Result<std::unique_ptr<SmtpService>> SmtpService::create(libconf::Settings settings, SmtpRuntime runtime) {
  std::unique_ptr<SmtpService> service(new SmtpService(std::move(settings), runtime));
  if (Result<void> read = service->read_settings(); !read) return read.error();
  if (Result<void> opened = service->open_lists(); !opened) return opened.error();
  if (Result<void> opened = service->open_tls_and_auth(); !opened) return opened.error();
  Result<std::unique_ptr<AddressServices>> addresses =
      AddressServices::create(service->settings_, runtime.host, *service->warnings_);
  if (!addresses) return addresses.error();
  service->addresses_ = std::move(*addresses);
  if (runtime.internal_mail != nullptr) {
    auto transcripts = TranscriptNotifier::create(service->settings_, *runtime.internal_mail);
    if (!transcripts) return transcripts.error();
    service->transcripts_ = std::move(*transcripts);
  }

  AccessSite site{.is_local_site = is_site_of(service->addresses_->local_domains())};
  for (const libmaps::IpAddress& address : service->addresses_->local_domains()->addresses())
    site.interface_addresses.push_back(libmaps::to_string(address));
  const AccessServices services{.resolver = *service->dns_,
                                .hosts = runtime.resolver,
                                .addresses = *service->addresses_,
                                .verifier = runtime.verifier,
                                .policy = runtime.policy,
                                .sleep = [](std::chrono::seconds time) -> asio::awaitable<void> {
                                  asio::steady_timer timer(co_await asio::this_coro::executor, time);
                                  co_await timer.async_wait(asio::use_awaitable);
                                }};
  Result<std::unique_ptr<AccessEngine>> access =
      AccessEngine::create(service->settings_, services, std::move(site), *service->warnings_);
  if (!access) return access.error();
  service->access_ = std::move(*access);
  Result<LocalClients> local_clients =
      LocalClients::open({.settings = service->settings_, .warnings = *service->warnings_},
                         service->addresses_->local_domains()->addresses());
  if (!local_clients) return local_clients.error();
  service->local_clients_.emplace(std::move(*local_clients));
  Result<std::unique_ptr<SessionRules>> rules =
      SessionRules::create({.settings = service->settings_, .warnings = *service->warnings_}, runtime.rates);
  if (!rules) return rules.error();
  service->rules_ = std::move(*rules);
  return service;
}

Result<std::unique_ptr<MessageDestination>> SmtpService::open_message() {
  if (!runtime_.postdrop.empty()) return PostdropDestination::open(runtime_.postdrop);
  Result<std::unique_ptr<MessageIntake>> message = MessageIntake::open(intake());
  if (!message) return message.error();
  return std::unique_ptr<MessageDestination>(std::move(*message));
}

IntakeServices SmtpService::intake() {
  return {.queue = runtime_.queue,
          .committer = runtime_.committer,
          .addresses = *addresses_,
          .options = intake_,
          .checks = checks_,
          .log = runtime_.log,
          .content_filter = content_filter_,
          .checks_content = !overrides_.no_header_body_checks,
          .trigger = runtime_.trigger};
}

Result<std::vector<MilterOptions>> SmtpService::milters_of(const ClientState& client) {
  if (overrides_.no_milters) return std::vector<MilterOptions>();
  for (const auto& table : milter_maps_) {
    const Result<std::optional<std::string>> value = table->lookup(client.address);
    if (!value) return value.error();
    if (!*value) continue;
    if (libconf::equals_ignoring_case(libconf::trim(**value), "DISABLE")) return std::vector<MilterOptions>();
    return parse_milter_options(settings_, **value);
  }
  return milters_.filters;
}

Result<bool> SmtpService::may_use_xclient(const ClientState& client) {
  return xclient_hosts_->matches_client(client.name, client.address);
}

Result<bool> SmtpService::may_use_xforward(const ClientState& client) {
  return xforward_hosts_->matches_client(client.name, client.address);
}

Result<bool> SmtpService::is_watched(const ClientState& client) {
  return debug_peers_->matches_client(client.name, client.address);
}

Result<bool> SmtpService::may_use_verp(const ClientState& client) {
  return verp_clients_->matches_client(client.name, client.address);
}

}  // namespace mta
