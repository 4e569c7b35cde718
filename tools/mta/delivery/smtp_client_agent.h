/// The delivery agent that speaks SMTP or LMTP with the next system: smtp(8).
///
///     auto agent = SmtpClientAgent::create(settings, ClientProtocol::kSmtp, parts);
///     if (!agent) return agent.error();
///     DeliveryReport report = co_await (*agent)->deliver(request, message);
#pragma once

#include <asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/host.h"
#include "libconf/settings.h"
#include "libmaps/ip_address.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/client_logins.h"
#include "tools/mta/delivery/client_tls.h"
#include "tools/mta/delivery/client_tls_policy.h"
#include "tools/mta/delivery/dane_records.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/delivery_checks.h"
#include "tools/mta/delivery/delivery_status_filter.h"
#include "tools/mta/delivery/generic_addresses.h"
#include "tools/mta/delivery/server_lookup.h"
#include "tools/mta/delivery/session_cache.h"
#include "tools/mta/delivery/smtp_client_options.h"
#include "tools/mta/delivery/smtp_client_session.h"
#include "tools/mta/delivery/smtp_delivery.h"
#include "tools/mta/delivery/transcript_notifier.h"
#include "tools/mta/dns/resolver.h"
#include "tools/mta/smtp/dns_reply_filter.h"

namespace mta {

/// What a delivery agent needs of the process. All must outlive it.
struct SmtpClientParts {
  asio::any_io_executor executor;
  Resolver& resolver;
  MailLog& log;
  const libconf::Host& host;                     ///< For inet_interfaces.
  InternalMailService* internal_mail = nullptr;  ///< For transcripts; null: there are none.
};

class SmtpClientAgent final : public DeliveryAgent {
 public:
  /// `settings` are those of the service, and must outlive the object. Errors: those of the settings, and of
  /// the host's interfaces.
  static libconf::Result<std::unique_ptr<SmtpClientAgent>> create(const libconf::Settings& settings,
                                                                  ClientProtocol protocol,
                                                                  const SmtpClientParts& parts);

  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) override;

 private:
  struct Destination {
    std::string nexthop;  ///< As the transport has it.
    std::string domain;
  };
  SmtpClientAgent(SmtpClientOptions options, std::vector<libmaps::IpAddress> own_addresses,
                  const SmtpClientParts& parts);
  LogTag tag() const {
    return {.syslog_name = options_.syslog_name, .program = options_.is_lmtp() ? "lmtp" : "smtp"};
  }
  asio::awaitable<void> try_destinations(SmtpDelivery& delivery, std::vector<std::string> nexthops);
  asio::awaitable<void> try_server(SmtpDelivery& delivery, MailServer server, Destination destination);
  asio::awaitable<bool> try_session(SmtpDelivery& delivery, const MailServer& server, std::string domain,
                                    SessionTls tls, SessionLogin login);
  asio::awaitable<bool> try_kept_session(SmtpDelivery& delivery, const MailServer& server, std::string key);
  asio::awaitable<void> finish(const SmtpDelivery& delivery, std::unique_ptr<SmtpClientSession> session,
                               std::string key);
  asio::awaitable<void> end(const SmtpDelivery& delivery, std::unique_ptr<SmtpClientSession> session);
  bool is_told_of(const SmtpDelivery& delivery, SmtpClientSession& session) const;
  /// Sends the postmaster the transcript of a session. REQUIRES: is_told_of().
  asio::awaitable<void> report_errors(SmtpClientSession& session);
  libconf::Result<std::optional<DeliveryRequest>> outside_view(const DeliveryRequest& request);
  void prepare(SmtpClientSession& session, bool is_kept) const;
  bool may_keep(const SmtpDelivery& delivery, const MailServer& server, std::string_view domain);
  static std::string session_key(const MailServer& server, const ClientTlsPolicy& policy,
                                 const SessionLogin& login);
  std::string_view without_type(std::string_view nexthop) const;
  SessionLogin find_login(const SmtpDelivery& delivery, const MailServer& server, std::string_view nexthop);
  asio::awaitable<std::optional<DeliveryFault>> find_policy(MailServer server, Destination destination,
                                                            SessionTls& tls);

  const SmtpClientOptions options_;
  const SmtpClientParts parts_;
  LogSink warnings_;
  std::unique_ptr<ClientTlsPolicies> policies_;
  std::unique_ptr<GenericAddresses> generic_;  ///< Null: there are none.
  std::unique_ptr<DeliveryChecks> checks_;     ///< The same.
  std::unique_ptr<ReplyFilter> reply_filter_;  ///< The same.
  TableList discarded_keywords_;               ///< smtp_discard_ehlo_keyword_address_maps
  DeliveryStatusFilter status_filter_;
  std::unique_ptr<ClientLogins> logins_;                 ///< Null: there are none.
  std::optional<libmaps::MatchList> kept_destinations_;  ///< smtp_connection_cache_destinations
  std::unique_ptr<TranscriptNotifier> transcripts_;      ///< Null: there are none.
  std::unique_ptr<ClientTls> tls_;                       ///< Null: there is none, or it cannot be used.
  DnsReplyFilter dns_;
  ServerFinder finder_;
  DaneLookup dane_;
  SessionCache cache_;  ///< Does not outlive what its sessions use.
};

}  // namespace mta
