#include "tools/mta/delivery/transports.h"

#include <algorithm>
#include <array>
#include <optional>

#include "libconf/text.h"
#include "tools/mta/delivery/fixed_outcome.h"
#include "tools/mta/delivery/local_agent.h"
#include "tools/mta/delivery/pipe_agent.h"
#include "tools/mta/delivery/virtual_agent.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::Result;

using AgentResult = Result<std::unique_ptr<DeliveryAgent>>;

AgentResult make_fixed(const FixedOutcome& outcome, const TransportEntry& entry,
                       const TransportParts& parts) {
  auto filter = DeliveryStatusFilter::open({}, {.settings = entry.settings, .warnings = entry.warnings});
  if (!filter) return filter.error();
  return std::unique_ptr<DeliveryAgent>(
      std::make_unique<FixedOutcomeAgent>(outcome, parts.client.log, std::move(*filter)));
}

AgentResult make_discard(const TransportEntry& entry, const TransportParts& parts) {
  return make_fixed(kDiscards, entry, parts);
}

/// The service called retry defers, all others bounce (error(8)).
AgentResult make_error(const TransportEntry& entry, const TransportParts& parts) {
  return make_fixed(entry.placed.service.service() == "retry" ? kDefers : kBounces, entry, parts);
}

AgentResult make_local(const TransportEntry& entry, const TransportParts& parts) {
  const AddressContext context{.tables = {.settings = entry.settings, .warnings = entry.warnings},
                               .host = parts.client.host};
  auto agent = LocalAgent::open(context,
                                {.transports = parts.transports,
                                 .log = parts.client.log,
                                 .actions = parts.actions,
                                 .forwarder = parts.forwarder},
                                entry.placed.service.service());
  if (!agent) return agent.error();
  return std::unique_ptr<DeliveryAgent>(std::move(*agent));
}

AgentResult make_pipe(const TransportEntry& entry, const TransportParts& parts) {
  auto options = PipeOptions::read(entry.placed.service.arguments(), entry.settings);
  if (!options) return options.error();
  auto filter = DeliveryStatusFilter::open("pipe_delivery_status_filter",
                                           {.settings = entry.settings, .warnings = entry.warnings});
  if (!filter) return filter.error();
  return std::unique_ptr<DeliveryAgent>(std::make_unique<PipeAgent>(std::move(*options), std::move(*filter),
                                                                    parts.actions, parts.client.log,
                                                                    entry.placed.service.service()));
}

template <ClientProtocol protocol>
AgentResult make_client(const TransportEntry& entry, const TransportParts& parts) {
  auto agent = SmtpClientAgent::create(entry.settings, protocol, parts.client);
  if (!agent) return agent.error();
  return std::unique_ptr<DeliveryAgent>(std::move(*agent));
}

AgentResult make_virtual(const TransportEntry& entry, const TransportParts& parts) {
  auto agent = VirtualAgent::open({.settings = entry.settings, .warnings = entry.warnings}, parts.actions,
                                  parts.client.log, entry.placed.service.service());
  if (!agent) return agent.error();
  return std::unique_ptr<DeliveryAgent>(std::move(*agent));
}

struct AgentType {
  std::string_view command;
  AgentResult (*make)(const TransportEntry& entry, const TransportParts& parts);
};

constexpr std::array kAgentTypes = {
    AgentType{"discard", make_discard},
    AgentType{"error", make_error},
    AgentType{"lmtp", make_client<ClientProtocol::kLmtp>},
    AgentType{"local", make_local},
    AgentType{"pipe", make_pipe},
    AgentType{"smtp", make_client<ClientProtocol::kSmtp>},
    AgentType{"virtual", make_virtual},
};

}  // namespace

struct Transports::Opened {
  Opened(libconf::Settings of_entry, MailLog& log, std::string_view command)
      : settings(std::move(of_entry)), warnings(log, {.program = command}) {}
  libconf::Settings settings;
  LogSink warnings;
  std::unique_ptr<DeliveryAgent> agent;
};

Transports::Transports(const Site& site, const SmtpClientParts& client, UserActions* actions,
                       MailForwarder* forwarder)
    : site_(site), client_(client), actions_(actions), forwarder_(forwarder) {}

Transports::~Transports() = default;

std::unique_ptr<Transports::Opened> Transports::open(std::string_view transport) {
  const auto refuse = [&](std::string_view reason) {
    client_.log.write({.program = "qmgr"}, libconf::Severity::kWarning,
                      concat("connect to transport private/", transport, ": ", reason));
    return nullptr;
  };
  const auto& services = site_.services();
  const auto placed = std::find_if(services.begin(), services.end(), [&](const auto* each) {
    return each->service.service() == transport && each->service.type() == "unix";
  });
  if (placed == services.end()) return refuse("No such file or directory");
  const std::string& command = (*placed)->service.field(MasterField::kCommand);
  const auto* const type = std::find_if(kAgentTypes.begin(), kAgentTypes.end(),
                                        [&](const AgentType& each) { return each.command == command; });
  if (type == kAgentTypes.end()) return refuse(concat("no delivery agent ", command));
  auto opened = std::make_unique<Opened>(site_.settings().for_service(**placed, site_.master_cf()),
                                         client_.log, type->command);
  AgentResult agent =
      type->make({.placed = **placed, .settings = opened->settings, .warnings = opened->warnings},
                 {.client = client_, .transports = *this, .actions = actions_, .forwarder = forwarder_});
  if (!agent) return refuse(agent.error().message);
  opened->agent = std::move(*agent);
  return opened;
}

DeliveryAgent* Transports::find(std::string_view transport) {
  auto found = opened_.find(transport);
  if (found == opened_.end()) found = opened_.emplace(std::string(transport), open(transport)).first;
  return found->second == nullptr ? nullptr : found->second->agent.get();
}

}  // namespace mta
