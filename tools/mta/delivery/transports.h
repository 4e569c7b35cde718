/// The delivery agents of master.cf, made when they are needed first.
///
///     Transports transports(site, {.executor = io.get_executor(), .resolver = resolver, ...});
///     DeliveryAgent* agent = transports.find("smtp");
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "libconf/settings.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/site.h"
#include "tools/mta/delivery/mail_forwarder.h"
#include "tools/mta/delivery/smtp_client_agent.h"
#include "tools/mta/delivery/transport_table.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// What agents are made of; all must outlive them.
struct TransportParts {
  const SmtpClientParts& client;
  TransportTable& transports;
  UserActions* actions = nullptr;      ///< Null: agents of this host's mailboxes answer probes, no more.
  MailForwarder* forwarder = nullptr;  ///< Likewise.
};

/// An entry of master.cf.
struct TransportEntry {
  const libconf::PlacedService& placed;
  const libconf::Settings& settings;  ///< With the options of the entry.
  libconf::DiagnosticSink& warnings;  ///< The log.
};

/// Not thread-safe.
class Transports final : public TransportTable {
 public:
  /// The site, `actions`, `forwarder`, and what `client` names, must outlive it. Without `actions`, mailboxes
  /// of this host are asked about, and not delivered to.
  Transports(const Site& site, const SmtpClientParts& client, UserActions* actions = nullptr,
             MailForwarder* forwarder = nullptr);
  ~Transports() override;

  DeliveryAgent* find(std::string_view transport) override;

 private:
  struct Opened;
  std::unique_ptr<Opened> open(std::string_view transport);

  const Site& site_;
  SmtpClientParts client_;
  UserActions* actions_;
  MailForwarder* forwarder_;
  std::map<std::string, std::unique_ptr<Opened>, std::less<>> opened_;  ///< Null: there is no agent.
};

}  // namespace mta
