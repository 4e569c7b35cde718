#include "tools/mta/smtp/session_rules.h"

#include "libconf/text.h"
#include "libmaps/domain_keys.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libmaps::MatchKind;
using libmaps::MatchList;

Result<void> SessionRules::read(const libconf::Settings& settings) {
  const Result<std::string> protocol = settings.get("smtpd_upstream_proxy_protocol");
  if (!protocol) return protocol.error();
  if (!protocol->empty()) {
    if (*protocol != "haproxy")
      return libconf::configuration_error(concat("unsupported smtpd_upstream_proxy_protocol: ", *protocol));
    const Result<std::chrono::seconds> timeout = settings.get_duration("smtpd_upstream_proxy_timeout");
    if (!timeout) return timeout.error();
    proxy_timeout_ = *timeout;
  }
  const Result<bool> has_deadline = settings.get_bool("smtpd_per_request_deadline");
  if (!has_deadline) return has_deadline.error();
  const Result<std::chrono::seconds> limit = settings.get_duration("smtpd_timeout");
  if (!limit) return limit.error();
  const Result<std::int64_t> min_data_rate = settings.get_int("smtpd_min_data_rate");
  if (!min_data_rate) return min_data_rate.error();
  if (*has_deadline)
    request_deadline_ =
        RequestDeadline::Limits{.limit = *limit, .min_data_rate = static_cast<unsigned>(*min_data_rate)};
  return {};
}

Result<void> SessionRules::open(const libmaps::TableContext& context, ClientRates& rates) {
  const auto opens = [&context](std::string_view spec) { return open_table(spec, context); };
  const struct {
    std::string_view parameter;
    MatchKind kind;
    std::string_view style_of;  ///< Whose entry in parent_domain_matches_subdomains counts.
    std::optional<MatchList>& list;
  } lists[] = {
      {"smtpd_forbid_bare_newline_exclusions", MatchKind::kNetworks, "mynetworks", bare_newline_exclusions_},
      {"fast_flush_domains", MatchKind::kDomains, "fast_flush_domains", flush_domains_},
  };
  for (const auto& [parameter, kind, style_of, list] : lists) {
    const Result<libmaps::ParentStyle> parents = libmaps::parent_style(context.settings, style_of);
    if (!parents) return parents.error();
    Result<MatchList> opened = open_list(parameter, {.kind = kind, .parents = *parents}, context);
    if (!opened) return opened.error();
    list.emplace(std::move(*opened));
  }
  const Result<std::string> service = context.settings.get("service_name");
  if (!service) return service.error();
  Result<std::unique_ptr<RateLimits>> limits = RateLimits::create(context.settings, *service, rates, opens);
  if (!limits) return limits.error();
  limits_ = std::move(*limits);
  Result<RejectReplies> replies = RejectReplies::open(context);
  if (!replies) return replies.error();
  replies_ = std::move(*replies);
  Result<EhloDiscard> ehlo_discard = EhloDiscard::open(context);
  if (!ehlo_discard) return ehlo_discard.error();
  ehlo_discard_ = std::move(*ehlo_discard);
  Result<TableList> command_filter = TableList::open("smtpd_command_filter", context);
  if (!command_filter) return command_filter.error();
  command_filter_ = std::move(*command_filter);
  return {};
}

Result<std::unique_ptr<SessionRules>> SessionRules::create(const libmaps::TableContext& context,
                                                           ClientRates& rates) {
  std::unique_ptr<SessionRules> rules(new SessionRules());
  if (Result<void> done = rules->read(context.settings); !done) return done.error();
  if (Result<void> done = rules->open(context, rates); !done) return done.error();
  return rules;
}

Result<BareNewline> SessionRules::bare_newline_for(const ClientState& client, BareNewline mode) {
  if (mode == BareNewline::kAllow) return mode;
  const Result<bool> is_spared = bare_newline_exclusions_->matches_client(client.name, client.address);
  if (!is_spared) return is_spared.error();
  return *is_spared ? BareNewline::kAllow : mode;
}

}  // namespace mta
