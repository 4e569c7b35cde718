#include "tools/mta/smtp/smtp_service.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
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
  const struct {
    std::string_view parameter;
    std::string& value;
  } texts[] = {
      {"syslog_name", syslog_name_}, {"mail_name", mail_name_},           {"service_name", name_},
      {"stress", stress_},           {"content_filter", content_filter_}, {"always_bcc", always_bcc_}};
  for (const auto& [parameter, value] : texts) {
    Result<std::string> text = settings_.get(parameter);
    if (!text) return text.error();
    value = std::move(*text);
  }
  warnings_.emplace(runtime_.log, tag());
  Result<ServerOptions> options = read_server_options(settings_);
  if (!options) return options.error();
  options_ = std::move(*options);
  const Result<ErrorLimits> limits = read_error_limits(settings_);
  if (!limits) return limits.error();
  error_limits_ = *limits;
  const Result<std::chrono::seconds> timeout = settings_.get_duration("smtpd_timeout");
  if (!timeout) return timeout.error();
  timeout_ = *timeout;
  const Result<std::chrono::seconds> warning_time = settings_.get_duration("delay_warning_time");
  if (!warning_time) return warning_time.error();
  delay_warning_time_ = *warning_time;
  const Result<bool> looks_up_names = settings_.get_bool("smtpd_peername_lookup");
  if (!looks_up_names) return looks_up_names.error();
  looks_up_names_ = *looks_up_names;
  const Result<std::int64_t> minfree = settings_.get_int("queue_minfree");
  if (!minfree) return minfree.error();
  space_ = {.minimal_free = static_cast<std::uint64_t>(*minfree),
            .message_size_limit = options_.message_size_limit};
  Result<CleanupOptions> cleanup = cleanup_options(settings_);
  if (!cleanup) return cleanup.error();
  cleanup_ = std::move(*cleanup);
  const Result<RecipientRules> recipients = RecipientRules::read(settings_);
  if (!recipients) return recipients.error();
  recipient_rules_ = *recipients;
  const Result<ReceiveOverrides> overrides = ReceiveOverrides::read(settings_);
  if (!overrides) return overrides.error();
  overrides_ = *overrides;
  if (overrides_.no_unknown_recipient_checks)
    settings_.override_value("smtpd_reject_unlisted_recipient", "no");
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
      {"smtpd_noop_commands", MatchKind::kStrings, noop_commands_},
      {"smtpd_forbidden_commands", MatchKind::kStrings, forbidden_commands_},
  };
  for (const auto& [parameter, kind, list] : lists) {
    Result<MatchList> opened = open_list(parameter, {.kind = kind}, context);
    if (!opened) return opened.error();
    list.emplace(std::move(*opened));
  }
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
  const AccessServices services{.resolver = runtime.resolver,
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
          .cleanup = cleanup_,
          .checks = checks_,
          .log = runtime_.log,
          .syslog_name = syslog_name_,
          .line_length_limit = options_.line_length_limit,
          .content_filter = content_filter_,
          .always_bcc = always_bcc_,
          .recipients = recipient_rules_,
          .message_size_limit = options_.message_size_limit,
          .checks_content = !overrides_.no_header_body_checks,
          .is_utf8_enabled = options_.smtputf8_enable,
          .delay_warning_time = delay_warning_time_,
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

Result<bool> SmtpService::may_use_verp(const ClientState& client) {
  return verp_clients_->matches_client(client.name, client.address);
}

}  // namespace mta
