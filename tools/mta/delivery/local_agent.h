/// local(8): mail for users of this host.
///
///     auto agent = LocalAgent::open({.tables = {.settings = settings, .warnings = sink}, .host = host},
///                                   {.transports = transports, .actions = &actions, ...}, "local");
///     DeliveryReport report = co_await (*agent)->deliver(request, message);
#pragma once

#include <memory>
#include <string>

#include "tools/mta/address/address_context.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/local_delivery.h"
#include "tools/mta/delivery/mail_forwarder.h"
#include "tools/mta/delivery/transport_table.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// All must outlive the agent. `actions` and `forwarder` may be null where nothing but probes is asked for.
struct LocalAgentParts {
  TransportTable& transports;
  MailLog& log;
  UserActions* actions = nullptr;
  MailForwarder* forwarder = nullptr;
};

class LocalAgent final : public DeliveryAgent {
 public:
  /// `relay` is the name of the service. The context's settings, sink and host must outlive the object.
  /// Errors: those of the settings.
  static libconf::Result<std::unique_ptr<LocalAgent>> open(const AddressContext& context,
                                                           const LocalAgentParts& parts, std::string relay);

  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) override;

 private:
  LocalAgent(std::unique_ptr<LocalOptions> options, AddressRewriting rewriting, RouteResolver routes,
             const LocalAgentParts& parts, std::string relay, DeliveryStatusFilter filter)
      : options_(std::move(options)),
        rewriting_(std::move(rewriting)),
        routes_(std::move(routes)),
        parts_(parts),
        relay_(std::move(relay)),
        filter_(std::move(filter)) {}

  /// What is known of a recipient without delivering: of aliases, accounts (but not their .forward files),
  /// mailboxes and transports.
  asio::awaitable<void> probe(const DeliveryRequest& request, std::size_t index, RecipientReporter& reporter);

  std::unique_ptr<LocalOptions> options_;
  AddressRewriting rewriting_;
  RouteResolver routes_;
  LocalAgentParts parts_;
  std::string relay_;
  DeliveryStatusFilter filter_;
};

}  // namespace mta
