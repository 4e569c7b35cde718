/// What one smtpd service has for its sessions beside restrictions, TLS and SASL: limits of clients, the
/// proxy in front, what is changed in commands and replies, and whom which defence spares.
///
///     auto rules = SessionRules::create(settings, rates, warnings);
///     Result<BareNewline> mode = (*rules)->bare_newline_for(client, options);
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/match_list.h"
#include "libmaps/table_context.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/smtp/client_rates.h"
#include "tools/mta/smtp/ehlo_discard.h"
#include "tools/mta/smtp/rate_limits.h"
#include "tools/mta/smtp/reject_replies.h"
#include "tools/mta/smtp/request_deadline.h"
#include "tools/mta/smtp/server_options.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// Serves all sessions of a service; not thread-safe, as tables are not.
class SessionRules {
 public:
  /// What `context` refers to, and `rates`, must outlive the object. Errors: those of the settings and of the
  /// lists, which cannot be left out.
  static libconf::Result<std::unique_ptr<SessionRules>> create(const libmaps::TableContext& context,
                                                               ClientRates& rates);

  RateLimits& limits() { return *limits_; }
  RejectReplies& replies() { return replies_; }
  EhloDiscard& ehlo_discard() { return ehlo_discard_; }
  TableList& command_filter() { return command_filter_; }

  /// How long a proxy may take to say who its client is. Nothing: there is no proxy.
  std::optional<std::chrono::seconds> proxy_timeout() const { return proxy_timeout_; }

  /// smtpd_per_request_deadline and what belongs to it. Nothing: reads and writes have limits of their own.
  const std::optional<RequestDeadline::Limits>& request_deadline() const { return request_deadline_; }

  /// smtpd_forbid_bare_newline for a client: kAllow for one of smtpd_forbid_bare_newline_exclusions. Errors:
  /// those of tables.
  libconf::Result<BareNewline> bare_newline_for(const ClientState& client, BareNewline mode);

  /// Whether ETRN may ask for mail to `domain` (fast_flush_domains). Errors: those of tables.
  libconf::Result<bool> may_flush(std::string_view domain) { return flush_domains_->matches(domain); }

 private:
  SessionRules() = default;
  libconf::Result<void> read(const libconf::Settings& settings);
  libconf::Result<void> open(const libmaps::TableContext& context, ClientRates& rates);

  std::optional<std::chrono::seconds> proxy_timeout_;
  std::optional<RequestDeadline::Limits> request_deadline_;
  std::unique_ptr<RateLimits> limits_;
  RejectReplies replies_;
  EhloDiscard ehlo_discard_;
  TableList command_filter_;
  std::optional<libmaps::MatchList> bare_newline_exclusions_;
  std::optional<libmaps::MatchList> flush_domains_;
};

}  // namespace mta
