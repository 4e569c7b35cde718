#include "tools/mta/address/route.h"

#include <utility>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;
using libmaps::LookupKind;

/// In a table that depends on the sender it says that the sender is like any other.
constexpr std::string_view kDunno = "DUNNO";

/// What `error:` without a text says.
constexpr std::string_view kUndeliverable = "Address is undeliverable";

std::string name_of(std::string_view parameter, RouteKind kind) {
  return concat(kind == RouteKind::kVerification ? "address_verify_" : "", parameter);
}

Result<Route> configured_route(std::string_view parameter, std::string_view value) {
  Route route = split_route(value);
  if (!route.transport.empty()) return route;
  return libconf::configuration_error(concat("parameter ", parameter, ": null transport is not allowed"));
}

Result<Route> read_route(std::string_view parameter, const AddressContext& context) {
  const Result<std::string> value = context.settings().get(parameter);
  if (!value) return value.error();
  return configured_route(parameter, *value);
}

}  // namespace

Route split_route(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {std::string(text), {}};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Result<Routes> Routes::from(const AddressContext& context, RouteKind kind) {
  Result<Route> local = read_route(name_of("local_transport", kind), context);
  if (!local) return local.error();
  Result<Route> virtual_mailbox = read_route(name_of("virtual_transport", kind), context);
  if (!virtual_mailbox) return virtual_mailbox.error();
  Result<Route> relay = read_route(name_of("relay_transport", kind), context);
  if (!relay) return relay.error();
  auto default_transport = by_sender(name_of("sender_dependent_default_transport_maps", kind),
                                     "empty_address_default_transport_maps_lookup_key",
                                     name_of("default_transport", kind), context);
  if (!default_transport) return default_transport.error();
  auto relayhost = by_sender(name_of("sender_dependent_relayhost_maps", kind),
                             "empty_address_relayhost_maps_lookup_key", name_of("relayhost", kind), context);
  if (!relayhost) return relayhost.error();
  auto transports = open_lookup(name_of("transport_maps", kind), LookupKind::kTransport, context);
  if (!transports) return transports.error();
  Result<std::string> hostname = context.settings().get("myhostname");
  if (!hostname) return hostname.error();
  return Routes(std::move(*local), std::move(*virtual_mailbox), std::move(*relay),
                std::move(*default_transport), std::move(*relayhost), std::move(*transports),
                std::move(*hostname));
}

Result<Routes::BySender> Routes::by_sender(std::string_view maps, std::string_view null_sender_key,
                                           std::string_view otherwise, const AddressContext& context) {
  // The keys are those of mailboxes: user+ext@domain, user@domain, @domain.
  auto lookup = open_lookup(maps, LookupKind::kMailbox, context);
  if (!lookup) return lookup.error();
  Result<std::string> key = context.settings().get(null_sender_key);
  if (!key) return key.error();
  Result<std::string> value = context.settings().get(otherwise);
  if (!value) return value.error();
  return BySender{std::move(*lookup), std::move(*key), std::move(*value)};
}

Result<std::string> Routes::value_for(BySender& parameter, std::string_view sender) {
  auto match = parameter.lookup.find(sender.empty() ? parameter.null_sender_key : sender);
  if (!match) return match.error();
  if (!*match || equals_ignoring_case((*match)->value, kDunno)) return parameter.otherwise;
  return std::move((*match)->value);
}

Result<Route> Routes::class_route(RecipientClass recipient_class, std::string_view sender,
                                  std::string_view domain) {
  Route route;
  switch (recipient_class) {
    case RecipientClass::kLocal:
      route = local_;
      if (route.nexthop.empty()) route.nexthop = hostname_;
      return route;
    case RecipientClass::kVirtualMailbox:
      route = virtual_;
      if (route.nexthop.empty()) route.nexthop = domain;
      return route;
    case RecipientClass::kRelay:
      route = relay_;
      break;
    case RecipientClass::kVirtualAlias:
    case RecipientClass::kDefault: {
      const Result<std::string> value = value_for(default_transport_, sender);
      if (!value) return value.error();
      Result<Route> configured = configured_route("sender_dependent_default_transport_maps", *value);
      if (!configured) return configured;
      route = std::move(*configured);
      break;
    }
  }
  if (!route.nexthop.empty()) return route;
  Result<std::string> relayhost = value_for(relayhost_, sender);
  if (!relayhost) return relayhost.error();
  route.nexthop = relayhost->empty() ? std::string(domain) : std::move(*relayhost);
  return route;
}

Result<Route> Routes::find(RecipientClass recipient_class, std::string_view sender,
                           std::string_view recipient, std::string_view domain) {
  Result<Route> route = class_route(recipient_class, sender, domain);
  if (!route) return route;
  const auto match = transports_.find(recipient);
  if (!match) return match.error();
  if (!*match) return route;
  Route entry = split_route((*match)->value);
  if (!entry.transport.empty()) {
    const bool is_error = entry.transport == "error" || entry.transport == "retry";
    if (entry.nexthop.empty()) entry.nexthop = is_error ? kUndeliverable : domain;
    return entry;
  }
  if (!entry.nexthop.empty()) route->nexthop = std::move(entry.nexthop);
  return route;
}

}  // namespace mta
