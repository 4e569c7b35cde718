#include "tools/mta/delivery/probing_verifier.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <ctime>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/delivery/delivery_log.h"
#include "tools/mta/delivery/fixed_outcome.h"
#include "tools/mta/delivery/probe_sender.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::string_view kInProgress = "Address verification in progress";

ProbeStatus status_of(DeliveryOutcome outcome) {
  switch (outcome) {
    case DeliveryOutcome::kSent:
      return ProbeStatus::kDeliverable;
    case DeliveryOutcome::kDeferred:
      return ProbeStatus::kDeferred;
    case DeliveryOutcome::kBounced:
      return ProbeStatus::kUndeliverable;
  }
  return ProbeStatus::kDeferred;
}

Verification verification_of(const VerifyEntry& entry) {
  switch (entry.status) {
    case ProbeStatus::kDeliverable:
      return {.status = VerificationStatus::kDeliverable, .reason = entry.text};
    case ProbeStatus::kUndeliverable:
      return {.status = VerificationStatus::kUndeliverable, .reason = entry.text};
    case ProbeStatus::kDeferred:
    case ProbeStatus::kPending:
      return {.status = VerificationStatus::kUnknown, .reason = entry.text};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ProbingVerifier>> ProbingVerifier::create(const libconf::Settings& settings,
                                                                 const Parts& parts) {
  std::unique_ptr<ProbingVerifier> verifier(new ProbingVerifier(parts));
  Result<VerifyCache> cache = VerifyCache::open(settings, verifier->warnings_);
  if (!cache) return cache.error();
  verifier->cache_.emplace(std::move(*cache));
  Result<std::unique_ptr<AddressServices>> addresses =
      AddressServices::create(settings, parts.host, verifier->warnings_);
  if (!addresses) return addresses.error();
  verifier->addresses_ = std::move(*addresses);
  Result<AddressRewriting> rewriting = AddressRewriting::from(settings);
  if (!rewriting) return rewriting.error();
  Result<RouteResolver> routes = RouteResolver::from(
      {.tables = {.settings = settings, .warnings = verifier->warnings_}, .host = parts.host}, *rewriting,
      verifier->addresses_->local_domains(), RouteKind::kVerification);
  if (!routes) return routes.error();
  verifier->routes_.emplace(std::move(*routes));
  const Result<std::string> sender = settings.get("address_verify_sender");
  if (!sender) return sender.error();
  // "<>" is the null sender (postconf(5)).
  if (*sender != "<>") {
    Result<std::string> rewritten = verifier->addresses_->rewrite_sender(RewriteContext::kLocal, *sender);
    if (!rewritten) return rewritten.error();
    verifier->sender_ = std::move(*rewritten);
  }
  const Result<std::chrono::seconds> lifetime = settings.get_duration("address_verify_sender_ttl");
  if (!lifetime) return lifetime.error();
  verifier->sender_lifetime_ = *lifetime;
  const Result<bool> has_long_ids = settings.get_bool("enable_long_queue_ids");
  if (!has_long_ids) return has_long_ids.error();
  verifier->id_form_ = *has_long_ids ? QueueIdForm::kLong : QueueIdForm::kShort;
  const Result<std::int64_t> limit = settings.get_int("address_verify_pending_request_limit");
  if (!limit) return limit.error();
  verifier->pending_limit_ = static_cast<std::size_t>(*limit);
  return verifier;
}

asio::awaitable<Verification> ProbingVerifier::verify(std::string address, std::chrono::seconds patience) {
  clean();
  const auto known = [&] { return cache_->find(address, std::time(nullptr)); };
  std::optional<VerifyEntry> entry = known();
  if (!entry || cache_->is_stale(*entry, std::time(nullptr))) start_probe(address);
  if (!entry && patience.count() > 0) {
    if (const auto pending = pending_.find(address); pending != pending_.end()) {
      const std::shared_ptr<Pending> probe = pending->second;
      asio::steady_timer limit(parts_.io, patience);
      probe->waiters.push_back(&limit);
      asio::error_code ignored;
      co_await limit.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      std::erase(probe->waiters, &limit);
    }
    entry = known();
  }
  if (entry) co_return verification_of(*entry);
  co_return Verification{.status = VerificationStatus::kUnknown, .reason = std::string(kInProgress)};
}

void ProbingVerifier::clean() {
  const std::optional<VerifyCache::Cleanup> done = cache_->clean(std::time(nullptr));
  if (!done) return;
  parts_.log.write(
      {.program = "verify"}, Severity::kInfo,
      concat("cache ", cache_->name(), " full cleanup: retained=", std::to_string(done->retained),
             " dropped=", std::to_string(done->dropped), " entries"));
}

void ProbingVerifier::start_probe(const std::string& address) {
  if (pending_.contains(address) || pending_.size() >= pending_limit_) return;
  pending_.emplace(address, std::make_shared<Pending>());
  asio::co_spawn(parts_.io, probe(address), asio::detached);
}

asio::awaitable<void> ProbingVerifier::probe(std::string address) {
  const EventLoop::Hold hold;
  Outcome outcome = co_await ask(address);
  const std::time_t now = std::time(nullptr);
  outcome.entry.updated = now;
  cache_->store(address, outcome.entry, now);
  // Others may ask for what it became.
  if (outcome.recipient != address) cache_->store(outcome.recipient, outcome.entry, now);
  const auto pending = pending_.extract(address);
  for (asio::steady_timer* const waiter : pending.mapped()->waiters) waiter->cancel();
}

asio::awaitable<ProbingVerifier::Outcome> ProbingVerifier::ask(const std::string& address) {
  Outcome outcome;
  outcome.recipient = address;
  outcome.entry.status = ProbeStatus::kDeferred;
  EnvelopeRecipient recipient{.address = quote_address(address), .original = address};
  const Result<std::vector<EnvelopeRecipient>> recipients =
      addresses_->expand(RewriteContext::kLocal, recipient);
  if (!recipients) {
    outcome.entry.text = "address rewriting failure";
    co_return outcome;
  }
  if (recipients->size() != 1) {
    // Postfix does not follow them, either.
    constexpr FixedOutcome kAliased{DeliveryOutcome::kSent, "2.0.0", "aliased to multiple recipients",
                                    "cleanup"};
    recipient.address = address;
    const DeliveryRequest request = request_for(recipient, Resolution());
    FixedOutcomeAgent cleanup(kAliased, parts_.log);
    outcome.take(co_await cleanup.deliver(request, -1));
    co_return outcome;
  }
  const std::string sender = probe_sender(sender_, sender_lifetime_, std::time(nullptr));
  recipient = recipients->front();
  Result<Resolution> resolution = routes_->resolve(sender, recipient.address);
  if (!resolution) {
    outcome.entry.text = "address resolver failure";
    co_return outcome;
  }
  if (!resolution->recipient.empty()) recipient.address = resolution->recipient;
  outcome.recipient = recipient.address;
  DeliveryRequest request = request_for(recipient, std::move(*resolution));
  request.sender = sender;
  DeliveryAgent* agent = parts_.transports.find(request.transport);
  FixedOutcomeAgent unavailable(kDefers, parts_.log);
  if (agent == nullptr) {
    request.nexthop = "4.3.0 mail transport unavailable";
    agent = &unavailable;
  }
  outcome.take(co_await agent->deliver(request, -1));
  co_return outcome;
}

void ProbingVerifier::Outcome::take(const DeliveryReport& report) {
  const RecipientReport& answer = report.recipients.front();
  entry.status = status_of(answer.outcome);
  entry.text = answer.status.text;
}

DeliveryRequest ProbingVerifier::request_for(const EnvelopeRecipient& recipient, Resolution resolution) {
  const QueueTime now = queue_time_now();
  return {.queue_id = make_queue_id(id_form_, now, next_number_++),
          .transport = std::move(resolution.transport),
          .nexthop = std::move(resolution.nexthop),
          .purpose = DeliveryPurpose::kProbe,
          .is_failure_remembered = cache_->keeps_failures(),
          .arrival = now,
          .activated = now,
          .recipients = {{.address = recipient.address, .original = recipient.original}}};
}

}  // namespace mta
