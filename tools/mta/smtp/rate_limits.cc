#include "tools/mta/smtp/rate_limits.h"

#include <utility>

#include "libconf/text.h"
#include "libmaps/ip_address.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

struct EventFacts {
  ClientEvent event;
  const char* parameter;
  std::string_view what;  ///< In the warning.
};

/// In the order of ClientEvent.
constexpr std::array<EventFacts, kClientEvents> kEvents = {{
    {ClientEvent::kConnection, "smtpd_client_connection_rate_limit", "Connection rate"},
    {ClientEvent::kMessage, "smtpd_client_message_rate_limit", "Message delivery request rate"},
    {ClientEvent::kRecipient, "smtpd_client_recipient_rate_limit", "Recipient address rate"},
    {ClientEvent::kTlsSession, "smtpd_client_new_tls_session_rate_limit", "New TLS session rate"},
    {ClientEvent::kAuth, "smtpd_client_auth_rate_limit", "AUTH command rate"},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kEvents.size(); ++i)
    if (static_cast<std::size_t>(kEvents[i].event) != i) return false;
  return true;
}
static_assert(is_in_order());

constexpr const EventFacts& facts(ClientEvent event) { return kEvents[static_cast<std::size_t>(event)]; }

template <class Address>
std::string network_text(Address address, int prefix) {
  if (prefix >= Address::kBits) return libmaps::to_string(address);
  return concat(libmaps::to_string(address & libmaps::prefix_mask(Address(), prefix)), "/",
                std::to_string(prefix));
}

}  // namespace

std::string rate_network(std::string_view address, int ipv4_prefix, int ipv6_prefix) {
  const std::optional<libmaps::IpAddress> number = libmaps::parse_ip_address(address);
  if (!number) return std::string(address);
  if (const auto* const ipv4 = std::get_if<libmaps::Ipv4Address>(&*number))
    return network_text(*ipv4, ipv4_prefix);
  return network_text(std::get<libmaps::Ipv6Address>(*number), ipv6_prefix);
}

Result<std::unique_ptr<RateLimits>> RateLimits::create(const libconf::Settings& settings, std::string service,
                                                       ClientRates& rates,
                                                       const libmaps::MatchList::OpenTable& open_table) {
  constexpr const char* kExceptions = "smtpd_client_event_limit_exceptions";
  const Result<std::string> value = settings.get(kExceptions);
  if (!value) return value.error();
  Result<libmaps::MatchList> exceptions =
      libmaps::MatchList::parse(kExceptions, *value, {.kind = libmaps::MatchKind::kNetworks}, open_table);
  if (!exceptions) return exceptions.error();
  Result<std::string> hostname = settings.get("myhostname");
  if (!hostname) return hostname.error();
  std::unique_ptr<RateLimits> limits(
      new RateLimits(std::move(service), rates, std::move(*hostname), std::move(*exceptions)));
  const auto read = [&settings](const char* parameter, auto& number) -> Result<void> {
    const Result<std::int64_t> limit = settings.get_int(parameter);
    if (!limit) return limit.error();
    number = static_cast<std::remove_reference_t<decltype(number)>>(*limit);
    return {};
  };
  for (const EventFacts& each : kEvents)
    if (Result<void> done = read(each.parameter, limits->limits_[static_cast<std::size_t>(each.event)]);
        !done)
      return done.error();
  if (Result<void> done = read("smtpd_client_connection_count_limit", limits->connections_); !done)
    return done.error();
  if (Result<void> done = read("smtpd_client_ipv4_prefix_length", limits->ipv4_prefix_); !done)
    return done.error();
  if (Result<void> done = read("smtpd_client_ipv6_prefix_length", limits->ipv6_prefix_); !done)
    return done.error();
  return limits;
}

Result<LimitedClient> RateLimits::limit(const ClientState& client, std::string text) {
  bool has_limits = connections_ > 0;
  for (const unsigned limit : limits_) has_limits = has_limits || limit > 0;
  if (!has_limits) return LimitedClient();
  const Result<bool> is_exception = exceptions_.matches_client(client.name, client.address);
  if (!is_exception) return is_exception.error();
  if (*is_exception) return LimitedClient();
  return LimitedClient(*this, concat(service_, ":", rate_network(client.address, ipv4_prefix_, ipv6_prefix_)),
                       client.address, std::move(text));
}

LimitedClient::LimitedClient(LimitedClient&& other) noexcept { *this = std::move(other); }

LimitedClient& LimitedClient::operator=(LimitedClient&& other) noexcept {
  disconnect();
  limits_ = std::exchange(other.limits_, nullptr);
  key_ = std::move(other.key_);
  address_ = std::move(other.address_);
  text_ = std::move(other.text_);
  is_connected_ = std::exchange(other.is_connected_, false);
  connections_ = other.connections_;
  return *this;
}

RateRefusal LimitedClient::refusal(std::string_view what, unsigned value, Reply reply) const {
  return {concat(what, " limit exceeded: ", std::to_string(value), " from ", text_, " for service ",
                 limits_->service_),
          std::move(reply)};
}

std::optional<RateRefusal> LimitedClient::connect() {
  if (!limits_) return std::nullopt;
  is_connected_ = true;
  const ClientRates::Connections now = limits_->rates_.connect(key_);
  connections_ = now.at_a_time;
  const unsigned rate_limit = limits_->limit_of(ClientEvent::kConnection);
  const bool is_concurrency = limits_->connections_ > 0 && now.at_a_time > limits_->connections_;
  if (!is_concurrency && (rate_limit == 0 || now.rate <= rate_limit)) return std::nullopt;
  Reply reply(421, "4.7.0", concat(limits_->hostname_, " Error: too many connections from ", address_));
  if (is_concurrency) return refusal("Connection concurrency", now.at_a_time, std::move(reply));
  return refusal(facts(ClientEvent::kConnection).what, now.rate, std::move(reply));
}

std::optional<RateRefusal> LimitedClient::count(ClientEvent event) {
  // What has no limit is not counted: see anvil(8).
  if (!limits_ || limits_->limit_of(event) == 0) return std::nullopt;
  const unsigned rate = limits_->rates_.count(event, key_);
  if (rate <= limits_->limit_of(event)) return std::nullopt;
  const std::string_view what = facts(event).what;
  switch (event) {
    case ClientEvent::kConnection:
      break;  // See connect().
    case ClientEvent::kMessage:
      return refusal(what, rate,
                     {450, "4.7.1", concat("Error: too much mail from ", address_), ErrorClass::kPolicy});
    case ClientEvent::kRecipient:
      return refusal(
          what, rate,
          {450, "4.7.1", concat("Error: too many recipients from ", address_), ErrorClass::kPolicy});
    case ClientEvent::kTlsSession:
      return refusal(
          what, rate,
          {421, "4.7.0", concat(limits_->hostname_, " Error: too many new TLS sessions from ", text_),
           ErrorClass::kPolicy});
    case ClientEvent::kAuth:
      return refusal(
          what, rate,
          {450, "4.7.1", concat("Error: too many AUTH commands from ", address_), ErrorClass::kPolicy});
  }
  return std::nullopt;
}

std::optional<RateRefusal> LimitedClient::refuse_tls(bool is_wrapper) const {
  if (!limits_) return std::nullopt;
  const unsigned limit = limits_->limit_of(ClientEvent::kTlsSession);
  if (limit == 0 || limits_->rates_.rate(ClientEvent::kTlsSession, key_) <= limit) return std::nullopt;
  return RateRefusal{
      concat("Refusing ", is_wrapper ? "TLS service" : "STARTTLS", " request from ", text_, " for service ",
             limits_->service_),
      {454, "4.7.0", concat("Error: too many new TLS sessions from ", text_), ErrorClass::kPolicy}};
}

void LimitedClient::disconnect() {
  if (limits_ && std::exchange(is_connected_, false)) limits_->rates_.disconnect(key_);
  limits_ = nullptr;
}

}  // namespace mta
