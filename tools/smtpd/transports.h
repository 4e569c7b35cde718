/// The delivery agents of master.cf, made when they are needed first.
///
///     Transports transports(site, {.executor = io.get_executor(), .resolver = resolver, ...});
///     mta::DeliveryAgent* agent = transports.find("smtp");
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

namespace smtpd {

/// What agents are made of; all must outlive them.
struct TransportParts {
  const mta::SmtpClientParts& client;
  mta::TransportTable& transports;
  mta::UserActions* actions = nullptr;      ///< Null: agents of this host's mailboxes answer probes, no more.
  mta::MailForwarder* forwarder = nullptr;  ///< Likewise.
};

/// An entry of master.cf.
struct TransportEntry {
  const libconf::PlacedService& placed;
  const libconf::Settings& settings;  ///< With the options of the entry.
  libconf::DiagnosticSink& warnings;  ///< The log.
};

/// Not thread-safe.
class Transports final : public mta::TransportTable {
 public:
  /// The site, and what `client` names, must outlive it.
  Transports(const mta::Site& site, const mta::SmtpClientParts& client);
  ~Transports() override;

  mta::DeliveryAgent* find(std::string_view transport) override;

 private:
  struct Opened;
  std::unique_ptr<Opened> open(std::string_view transport);

  const mta::Site& site_;
  mta::SmtpClientParts client_;
  std::map<std::string, std::unique_ptr<Opened>, std::less<>> opened_;  ///< Null: there is no agent.
};

}  // namespace smtpd
