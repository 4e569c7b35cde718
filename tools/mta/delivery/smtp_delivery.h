/// One request on its way through the servers of its nexthops: what is still to be tried, and what is to be
/// reported.
///
///     SmtpDelivery delivery(request, message, filter, log, tag);
///     delivery.enter(true);                        // the last nexthop
///     delivery.start(server.relay(), false);       // not its last server
///     co_await session.deliver(..., delivery);     // it is told what becomes of recipients
///     co_return delivery.take_report();
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/delivery_status_filter.h"
#include "tools/mta/delivery/smtp_client_session.h"

namespace mta {

/// Not thread-safe; all references must outlive it.
class SmtpDelivery final : public RecipientSink {
 public:
  SmtpDelivery(const DeliveryRequest& request, int message, DeliveryStatusFilter& filter, MailLog& log,
               LogTag tag);

  const DeliveryRequest& request() const { return request_; }
  int message() const { return message_; }

  /// What servers are told of: the request, or with other addresses.
  const DeliveryRequest& envelope() const { return *envelope_; }
  void show(const DeliveryRequest& envelope) { envelope_ = &envelope; }

  /// Recipients that are to be tried, or tried again.
  const std::vector<std::size_t>& open() const { return open_; }
  bool is_over() const { return open_.empty(); }

  /// All servers until the next call are those of one nexthop.
  void enter(bool is_last_nexthop);

  /// From now on all is about this server; `is_last`: there is no other one after it.
  void start(std::string relay, bool is_last);
  bool is_last() const { return is_last_; }

  /// Whether a session that fails as TLS does is followed by one in the clear.
  void set_tls_optional(bool is_optional) { is_tls_optional_ = is_optional; }

  /// How long the mail has waited before (queue_lifetime).
  std::chrono::microseconds age() const { return request_.activated - request_.arrival; }

  /// Whether there were so many sessions with servers of the nexthop; 0: there is no limit.
  bool has_sessions(std::size_t limit) const { return limit > 0 && sessions_ >= limit; }

  /// The server takes mail.
  void connect(std::size_t session_limit, const SmtpClientSession& session);

  /// It does not, after all: it was gone already.
  void disconnect() { --sessions_; }

  /// No server could be talked to, because of that.
  void give_up(const DeliveryFault& fault, std::string relay);
  void note_dead_server() { report_.is_destination_dead = !has_session_; }

  // RecipientSink
  void accept(std::size_t recipient, const ServerReply& reply) override;
  void refuse(std::size_t recipient, const DeliveryFault& fault) override;
  void refuse_all(std::span<const std::size_t> recipients, const DeliveryFault& fault) override;

  /// What became of all recipients. Call nothing afterwards.
  DeliveryReport take_report() { return std::move(report_); }

 private:
  using Clock = std::chrono::steady_clock;

  /// Another server may say something else.
  bool is_for_another(const DeliveryFault& fault) const;
  void note(std::string_view text);
  void settle(std::size_t recipient, const DeliveryFault& fault);
  void finish(std::size_t recipient, DeliveryOutcome outcome, DeliveryStatus status);

  const DeliveryRequest& request_;
  const DeliveryRequest* envelope_ = &request_;
  int message_;
  DeliveryStatusFilter& filter_;
  MailLog& log_;
  LogTag tag_;
  std::vector<std::size_t> open_;
  DeliveryReport report_;
  std::string relay_ = "none";
  bool is_last_ = false;
  bool is_last_nexthop_ = false;
  bool has_session_ = false;
  bool knows_dsn_ = false;
  int connection_uses_ = 1;
  bool is_tls_optional_ = false;
  std::size_t sessions_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point connected_ = {};
};

}  // namespace mta
