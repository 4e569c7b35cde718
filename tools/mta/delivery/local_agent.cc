#include "tools/mta/delivery/local_agent.h"

#include "libconf/text.h"
#include "tools/mta/address/local_domains.h"
#include "tools/mta/address/route.h"

namespace mta {

using libconf::concat;
using libconf::Result;

Result<std::unique_ptr<LocalAgent>> LocalAgent::open(const AddressContext& context,
                                                     const LocalAgentParts& parts, std::string relay) {
  Result<std::unique_ptr<LocalOptions>> options = LocalOptions::open(context.tables);
  if (!options) return options.error();
  Result<AddressRewriting> rewriting = AddressRewriting::from(context.settings());
  if (!rewriting) return rewriting.error();
  const Result<std::shared_ptr<LocalDomains>> domains = LocalDomains::from(context);
  if (!domains) return domains.error();
  Result<RouteResolver> routes = RouteResolver::from(context, *rewriting, *domains, RouteKind::kDelivery);
  if (!routes) return routes.error();
  auto filter = DeliveryStatusFilter::open("local_delivery_status_filter", context.tables);
  if (!filter) return filter.error();
  return std::unique_ptr<LocalAgent>(new LocalAgent(std::move(*options), std::move(*rewriting),
                                                    std::move(*routes), parts, std::move(relay),
                                                    std::move(*filter)));
}

asio::awaitable<void> LocalAgent::probe(const DeliveryRequest& request, std::size_t index,
                                        RecipientReporter& reporter) {
  const LocalTarget target{.address = request.recipients[index].address};
  const RecipientNames names = target.names(*options_);
  const auto alias = options_->find_alias(names.local);
  if (!alias) co_return reporter.settle(index, undelivered("4.3.0", "alias database unavailable"));
  if (*alias) co_return reporter.settle(index, delivered(concat("aliased to ", (*alias)->value)));
  const auto account = options_->find_account(names.user);
  if (!account) co_return reporter.settle(index, undelivered("4.3.0", "user lookup error"));

  Result<std::string> transport = options_->mailbox_transport.for_user(names.user);
  if (transport && transport->empty() && !*account)
    transport = options_->fallback_transport.for_user(names.user);
  if (!transport) co_return reporter.settle(index, misconfigured());
  if (!transport->empty()) {
    const Route route = split_route(*transport);
    DeliveryAgent* const agent = parts_.transports.find(route.transport);
    if (agent == nullptr) co_return reporter.settle(index, no_transport());
    DeliveryRequest onward = request;
    onward.transport = route.transport;
    onward.nexthop = route.nexthop.empty() ? request.nexthop : route.nexthop;
    onward.recipients = {request.recipients[index]};
    DeliveryReport passed = co_await agent->deliver(onward, -1);
    co_return reporter.pass_on(index, std::move(passed));
  }
  if (!*account) {
    if (options_->luser_relay.empty()) co_return reporter.settle(index, unknown_user(names.local));
    const Result<std::string> relay = names.expand(options_->luser_relay, {}, *options_->settings);
    if (!relay) co_return reporter.settle(index, misconfigured());
    co_return reporter.settle(index, delivered(concat("forwards to ", *relay)));
  }
  const Result<std::string> command = options_->mailbox_command.for_user(names.user);
  if (!command) co_return reporter.settle(index, misconfigured());
  if (!command->empty())
    co_return reporter.settle(index, delivered(concat("delivers to command: ", *command)));
  const bool is_at_home = !options_->home_mailbox.empty();
  co_return reporter.settle(
      index, delivered(probed_mailbox(is_at_home ? options_->home_mailbox : options_->spool_directory)));
}

asio::awaitable<DeliveryReport> LocalAgent::deliver(const DeliveryRequest& request, int message) {
  RecipientReporter reporter(request, parts_.log, {.program = "local"}, relay_, filter_);
  if (request.purpose == DeliveryPurpose::kProbe) {
    for (std::size_t i = 0; i < request.recipients.size(); ++i) co_await probe(request, i, reporter);
    co_return reporter.take();
  }
  if (parts_.actions == nullptr || parts_.forwarder == nullptr) {
    reporter.settle_all(no_transport());
    co_return reporter.take();
  }
  const Result<MessageStart> start = read_message_start(message, request.queue_id);
  if (!start) {
    reporter.log(libconf::Severity::kWarning, start.error().message);
    reporter.settle_all(unreadable_message());
    co_return reporter.take();
  }
  const LocalParts parts{.options = *options_,
                         .rewriting = rewriting_,
                         .routes = routes_,
                         .transports = parts_.transports,
                         .actions = *parts_.actions,
                         .forwarder = *parts_.forwarder};
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    LocalDelivery delivery(parts, request, i, *start, message, reporter);
    co_await delivery.run();
  }
  co_return reporter.take();
}

}  // namespace mta
