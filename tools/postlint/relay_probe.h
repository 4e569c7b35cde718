/// What a SMTP server would answer a client, told by the runtime's own restriction engine.
///
///     auto probe = RelayProbe::create(site, server.settings);
///     ProbeResult result = (*probe)->ask({.recipient = "someone@elsewhere.example"});
///     if (result.is_permitted) ...
///
/// No network: the client and the sender are those of a well-run host, on no DNS list; policy servers have no
/// objection, and what only a server could look up is not found.
#pragma once

#include <memory>
#include <string>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/access/access_trace.h"

namespace postlint {

class SiteModel;

/// A client that nobody knows, and what it says. Addresses are in internal form.
struct ProbeSession {
  std::string client_address = "198.51.100.7";
  std::string client_name = "mail.stranger.example";
  std::string helo = "mail.stranger.example";
  std::string sender = "someone@stranger.example";
  std::string recipient = "someone@elsewhere.example";
};

struct ProbeResult {
  bool is_permitted = false;
  std::string reply = {};  ///< Of the command that is refused.
  /// Of RCPT TO, or of the command that is refused; in the order in which they began.
  std::vector<mta::TraceStep> steps = {};
};

/// Not thread-safe. The site must outlive it.
class RelayProbe {
 public:
  /// Errors: those that keep the server from running, and those of opening its tables.
  static libconf::Result<std::unique_ptr<RelayProbe>> create(const SiteModel& site,
                                                             const libconf::Settings& settings);
  ~RelayProbe();

  ProbeResult ask(const ProbeSession& session);

 private:
  struct Parts;
  explicit RelayProbe(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// `settings` with every value expanded, and every table replaced by one that can be read here without asking
/// anybody: see TableStore::localized(). The document of the site must outlive it.
libconf::Settings localized_settings(const SiteModel& site, const libconf::Settings& settings);

}  // namespace postlint
