/// The choice of transport and nexthop for an address whose class is known: the *_transport parameters,
/// relayhost, what depends on the sender, and transport_maps (transport(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/recipient_class.h"

namespace mta {

/// What is asked for.
enum class RouteKind : std::uint8_t {
  kDelivery,
  kVerification,  ///< Probes: the parameters with "address_verify_" ahead of their names count.
};

/// `transport:nexthop`.
struct Route {
  std::string transport;
  std::string nexthop;
};

/// Splits `transport:nexthop` at its first colon; either may be empty. Pure; thread-safe.
Route split_route(std::string_view text);

/// Not thread-safe, as tables are not.
class Routes {
 public:
  /// Errors: as open_tables() and Settings::get(); kConfiguration for a parameter without a transport.
  static libconf::Result<Routes> from(const AddressContext& context, RouteKind kind);

  /// The route of mail from `sender` to `recipient` at `domain`; both addresses in external form, the sender
  /// may be empty. REQUIRES: the class is not kVirtualAlias, whose mail has no route. Errors: those of
  /// tables; kConfiguration for an entry without a transport where there must be one.
  libconf::Result<Route> find(RecipientClass recipient_class, std::string_view sender,
                              std::string_view recipient, std::string_view domain);

 private:
  /// A parameter that depends on the sender, and its value for all others.
  struct BySender {
    libmaps::AddressLookup lookup;
    std::string null_sender_key;
    std::string otherwise;
  };
  Routes(Route local, Route virtual_mailbox, Route relay, BySender default_transport, BySender relayhost,
         libmaps::AddressLookup transports, std::string hostname)
      : local_(std::move(local)),
        virtual_(std::move(virtual_mailbox)),
        relay_(std::move(relay)),
        default_transport_(std::move(default_transport)),
        relayhost_(std::move(relayhost)),
        transports_(std::move(transports)),
        hostname_(std::move(hostname)) {}

  static libconf::Result<BySender> by_sender(std::string_view maps, std::string_view null_sender_key,
                                             std::string_view otherwise, const AddressContext& context);
  static libconf::Result<std::string> value_for(BySender& parameter, std::string_view sender);
  libconf::Result<Route> class_route(RecipientClass recipient_class, std::string_view sender,
                                     std::string_view domain);

  Route local_;
  Route virtual_;
  Route relay_;
  BySender default_transport_;
  BySender relayhost_;
  libmaps::AddressLookup transports_;
  std::string hostname_;
};

}  // namespace mta
