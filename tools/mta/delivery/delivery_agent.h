/// What the queue manager asks of a delivery agent, and what it gets to know (smtp(8), local(8), virtual(8),
/// pipe(8), error(8), discard(8)).
///
///     DeliveryReport report = co_await agent.deliver(request, message);
///     for (const RecipientReport& each : report.recipients)
///       if (each.outcome == DeliveryOutcome::kDeferred) keep(request.recipients[each.recipient],
///       each.status);
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/mta/queue/queue_id.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

/// What is to be done with a message.
enum class DeliveryPurpose : std::uint8_t {
  kDeliver,
  kProbe,  ///< Whether it could be delivered is to be found out, no more (verify(8), sendmail -bv).
};

/// Where a message came from, for XFORWARD, Received: and macros; empty: not known.
struct DeliveryOrigin {
  std::string client_name = {};
  std::string client_address = {};
  std::string client_port = {};
  std::string helo_name = {};
  std::string protocol = {};  ///< "ESMTP"
  std::string ident = {};     ///< The queue ID where it was received first (log_ident of the queue file).
  std::string sasl_method = {};
  std::string sasl_user_name = {};
  std::string sasl_sender = {};
  std::string rewrite_context = {};  ///< "local" or "remote"
};

/// A message for some of its recipients, which have transport and nexthop in common.
struct DeliveryRequest {
  std::string queue_id;
  std::string transport;  ///< The service of master.cf.
  std::string nexthop;
  std::string sender;    ///< In internal form; empty: the null sender.
  std::string encoding;  ///< "7bit", "8bit", or empty: not known.
  std::string envelope_id = {};
  int return_flags = 0;  ///< A ReturnFlag.
  int send_options = 0;  ///< An OR of SendOption.
  DeliveryPurpose purpose = DeliveryPurpose::kDeliver;
  bool is_failure_remembered = true;  ///< Of a probe, for the log (address_verify_negative_cache).
  DeliveryOrigin origin = {};
  /// More mail for the destination waits: a connection is kept for it, and one that was kept is used
  /// (smtp_connection_cache_on_demand).
  bool has_more_mail = false;
  QueueTime arrival;               ///< In the queue.
  QueueTime activated;             ///< When the queue manager took it up this time.
  std::uint64_t content_size = 0;  ///< In bytes, as SIZE counts them.
  std::vector<QueueRecipient> recipients;
};

enum class DeliveryOutcome : std::uint8_t {
  kSent,      ///< Or, of a probe: deliverable.
  kDeferred,  ///< Not now.
  kBounced,   ///< Never; of a probe: undeliverable.
};

/// What a notification says was done (RFC 3464, section 2.3.3); kByOutcome: delivered, delayed or failed.
enum class DsnAction : std::uint8_t { kByOutcome, kRelayed, kExpanded };

/// "2.0.0", "4.4.1"; with what a notification says about it (RFC 3464, section 2.3).
struct DeliveryStatus {
  std::string code;                  ///< Enhanced (RFC 3463).
  std::string text;                  ///< As in the log, without its parentheses.
  std::string remote_server = {};    ///< Its name, where one answered (Remote-MTA).
  std::string diagnostic = {};       ///< What it answered, with its code (Diagnostic-Code).
  std::string diagnostic_type = {};  ///< "smtp", "x-unix"
  DsnAction action = DsnAction::kByOutcome;
  bool keeps_notify = false;  ///< Who has it now knows of NOTIFY, and tells the sender of success.
};

/// Where the time went, in seconds, as `delays=a/b/c/d` tells it: c and d are the agent's.
struct DeliveryTimes {
  std::chrono::steady_clock::time_point start = {};      ///< The agent took it up.
  std::chrono::steady_clock::time_point connected = {};  ///< The connection was ready for mail.
  std::chrono::steady_clock::time_point end = {};
};

struct RecipientReport {
  std::size_t recipient = 0;  ///< Its place in DeliveryRequest::recipients.
  DeliveryOutcome outcome = DeliveryOutcome::kDeferred;
  bool is_soft_bounce = false;  ///< It would have been bounced, but for soft_bounce.
  std::string relay = "none";   ///< As in the log: "mx.example[192.0.2.7]:25", "local", "none".
  int connection_uses = 1;      ///< Messages that the connection has carried, with this one.
  DeliveryStatus status = {};
  DeliveryTimes times = {};
  std::string expanded = {};  ///< What local(8) made of it, in internal form; empty: it is itself.
  bool is_delivery = true;    ///< Not: the recipient was expanded, and others tell what came of that.
};

struct DeliveryReport {
  /// One for each of the request; several for one that local(8) expanded: it is done when none is deferred.
  std::vector<RecipientReport> recipients = {};
  /// Set when the destination as a whole is of no use now, for the queue manager's concurrency feedback and
  /// its memory of dead destinations: nobody answered, or every server refused before MAIL.
  bool is_destination_dead = false;
};

/// Not thread-safe; several deliveries may be under way at a time.
class DeliveryAgent {
 public:
  DeliveryAgent() = default;
  DeliveryAgent(const DeliveryAgent&) = delete;
  DeliveryAgent& operator=(const DeliveryAgent&) = delete;
  virtual ~DeliveryAgent() = default;

  /// Delivers, and writes a line to the log for each recipient. `message` is the queue file, open for
  /// reading (QueueFileReader::open()); -1 for a probe without one. Both live until the delivery ends.
  virtual asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) = 0;
};

}  // namespace mta
