/// The limits of one smtpd service on what a client does at a time or in one time unit: smtpd_client_*_limit
/// (postconf(5), TUNING_README "Measures against clients that make too many connections").
///
///     auto limits = RateLimits::create(settings, "smtp", rates, open_table);
///     LimitedClient client = (*limits)->limit(state.client, client_text);  // when it has connected
///     if (auto refusal = client.connect()) { log(refusal->warning); return send(refusal->reply(myhostname));
///     }
///     ...
///     if (auto refusal = client.count(ClientEvent::kMessage)) ...
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/match_list.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/smtp/client_rates.h"
#include "tools/mta/smtp/reply.h"

namespace mta {

class RateLimits;

/// What is said to a client that is beyond a limit, and of it.
struct RateRefusal {
  std::string warning;  ///< For the log.
  Reply reply;
};

/// One client of a service, from its connection to its end. Not thread-safe; the limits must outlive it.
class LimitedClient {
 public:
  /// One that has no limits: nothing is counted.
  LimitedClient() = default;
  LimitedClient(const LimitedClient&) = delete;
  LimitedClient& operator=(const LimitedClient&) = delete;
  LimitedClient(LimitedClient&& other) noexcept;
  LimitedClient& operator=(LimitedClient&& other) noexcept;
  ~LimitedClient() { disconnect(); }

  /// It has connected. A refusal ends the session.
  std::optional<RateRefusal> connect();

  /// It wants to do something else, or with kTlsSession, has done so. A refusal of kTlsSession ends the
  /// session.
  std::optional<RateRefusal> count(ClientEvent event);

  /// Whether STARTTLS, or in wrapper mode TLS, is refused already: without a handshake, which is what costs.
  /// `is_wrapper` decides about the warning.
  std::optional<RateRefusal> refuse_tls(bool is_wrapper) const;

  /// How many connections it had when it connected, this one included; 0: nothing is counted.
  unsigned connections() const { return connections_; }

  /// It has gone; nothing is counted any more.
  void disconnect();

 private:
  friend class RateLimits;
  LimitedClient(const RateLimits& limits, std::string key, std::string address, std::string text)
      : limits_(&limits), key_(std::move(key)), address_(std::move(address)), text_(std::move(text)) {}
  RateRefusal refusal(std::string_view what, unsigned value, Reply reply) const;

  const RateLimits* limits_ = nullptr;  ///< Null: there are none.
  std::string key_;
  std::string address_;
  std::string text_;  ///< "name[address]"
  bool is_connected_ = false;
  unsigned connections_ = 0;
};

/// Not thread-safe.
class RateLimits {
 public:
  /// `service`: its name in master.cf, "smtp" or "192.0.2.1:25". `rates` must outlive the object. Errors: as
  /// Settings::get_int() and MatchList::parse().
  static libconf::Result<std::unique_ptr<RateLimits>> create(const libconf::Settings& settings,
                                                             std::string service, ClientRates& rates,
                                                             const libmaps::MatchList::OpenTable& open_table);

  /// A client; `text` is how the log names it. Those in smtpd_client_event_limit_exceptions have no limits.
  /// Errors: those of the tables.
  libconf::Result<LimitedClient> limit(const ClientState& client, std::string text);

 private:
  friend class LimitedClient;
  RateLimits(std::string service, ClientRates& rates, std::string hostname, libmaps::MatchList exceptions)
      : service_(std::move(service)),
        rates_(rates),
        hostname_(std::move(hostname)),
        exceptions_(std::move(exceptions)) {}
  unsigned limit_of(ClientEvent event) const { return limits_[static_cast<std::size_t>(event)]; }

  std::string service_;
  ClientRates& rates_;
  std::string hostname_;
  libmaps::MatchList exceptions_;
  std::array<unsigned, kClientEvents> limits_{};  ///< In one time unit; 0: none.
  unsigned connections_ = 0;                      ///< At a time; 0: no limit.
  int ipv4_prefix_ = 0;                           ///< smtpd_client_ipv4_prefix_length
  int ipv6_prefix_ = 0;
};

/// The network of `address` that is counted as one client: the address itself, or with a shorter prefix
/// "2001:db8::/84". A text that is no address stays as it is. Pure; thread-safe.
std::string rate_network(std::string_view address, int ipv4_prefix, int ipv6_prefix);

}  // namespace mta
