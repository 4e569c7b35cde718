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
  std::unique_ptr<ProbingVerifier> verifier(new ProbingVerifier(settings, parts));
  Result<VerifyCache> cache = VerifyCache::open(settings, verifier->warnings_);
  if (!cache) return cache.error();
  verifier->cache_.emplace(std::move(*cache));
  Result<std::string> sender = settings.get("address_verify_sender");
  if (!sender) return sender.error();
  verifier->sender_ = std::move(*sender);
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

Result<ProbingVerifier::Addresses> ProbingVerifier::open_addresses() {
  Addresses opened;
  Result<std::unique_ptr<AddressServices>> services =
      AddressServices::create(settings_, parts_.host, warnings_);
  if (!services) return services.error();
  opened.services = std::move(*services);
  Result<AddressRewriting> rewriting = AddressRewriting::from(settings_);
  if (!rewriting) return rewriting.error();
  Result<RouteResolver> routes =
      RouteResolver::from({.tables = {.settings = settings_, .warnings = warnings_}, .host = parts_.host},
                          *rewriting, opened.services->local_domains(), RouteKind::kVerification);
  if (!routes) return routes.error();
  opened.routes.emplace(std::move(*routes));
  // "<>" is the null sender (postconf(5)).
  if (sender_ == "<>") return opened;
  Result<std::string> sender = opened.services->rewrite_sender(RewriteContext::kLocal, sender_);
  if (!sender) return sender.error();
  opened.sender = std::move(*sender);
  return opened;
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
  if (!addresses_) {
    Result<Addresses> opened = open_addresses();
    if (!opened) {
      warnings_.warn("verify", opened.error().message);
      outcome.entry.text = "address resolver failure";
      co_return outcome;
    }
    // Another probe may have done it, while a table was waited for.
    if (!addresses_) addresses_.emplace(std::move(*opened));
  }
  EnvelopeRecipient recipient{.address = quote_address(address), .original = address};
  const Result<std::vector<EnvelopeRecipient>> recipients =
      addresses_->services->expand(RewriteContext::kLocal, recipient);
  if (!recipients) {
    outcome.entry.text = "address rewriting failure";
    co_return outcome;
  }
  if (recipients->size() != 1) {
    // Postfix does not follow them, either.
    constexpr FixedOutcome kAliased{DeliveryOutcome::kSent, "2.0.0", "cleanup"};
    recipient.address = address;
    const DeliveryRequest request = request_for(recipient, {.nexthop = "aliased to multiple recipients"});
    FixedOutcomeAgent cleanup(kAliased, parts_.log);
    outcome.take(co_await cleanup.deliver(request, -1));
    co_return outcome;
  }
  const std::string sender = probe_sender(addresses_->sender, sender_lifetime_, std::time(nullptr));
  recipient = recipients->front();
  Result<Resolution> resolution = addresses_->routes->resolve(sender, recipient.address);
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
