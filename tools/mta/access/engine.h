/// Applies the restrictions of main.cf to a SMTP session (SMTPD_ACCESS_README).
///
///     auto engine = AccessEngine::create(settings, services, site, warnings);
///     AccessMemory memory;  // one a session
///     const Verdict verdict = co_await (*engine)->check(state, memory);
///     if (verdict.kind == VerdictKind::kReject) send(verdict.reply);
///
/// smtpd asks for the verdict; postexplain has the same run told (access_trace.h).
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/address_lookup.h"
#include "tools/mta/access/access_trace.h"
#include "tools/mta/access/services.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/access/verdict.h"

namespace mta {

/// What a host knows about itself.
struct AccessSite {
  std::vector<std::string> interface_addresses = {};  ///< $inet_interfaces, as addresses.
  std::vector<std::string> proxy_addresses = {};      ///< $proxy_interfaces.
  libmaps::AddressLookup::IsLocalSite is_local_site = {};
};

/// A reply, "CODE STATUS TEXT".
struct AccessReply {
  int code = 0;
  std::string status = {};  ///< Enhanced (RFC 3463).
  std::string text = {};
};

/// What one command leaves for the next of the same session. With "smtpd_delay_reject = no" a DEFER_IF_PERMIT
/// of an earlier command counts when a recipient would be accepted.
struct AccessMemory {
  std::optional<AccessReply> client = {};
  std::optional<AccessReply> helo = {};
  std::optional<AccessReply> sender = {};
};

/// Serves many sessions at a time; not thread-safe. Settings and services must outlive it.
class AccessEngine {
 public:
  /// Reads the settings. What is odd but works goes to `warnings`. Errors: kConfiguration, worded as Postfix
  /// words what keeps its server from running.
  static libconf::Result<std::unique_ptr<AccessEngine>> create(const libconf::Settings& settings,
                                                               AccessServices services, AccessSite site,
                                                               libconf::DiagnosticSink& warnings);
  ~AccessEngine();

  /// Applies what belongs to `state.stage`. Never fails: what could not be found out becomes a 4xx reply.
  /// `trace` is told how it comes about; null: nobody is. All must live until the verdict is there.
  asio::awaitable<Verdict> check(const SmtpdState& state, AccessMemory& memory, AccessTrace* trace = nullptr);

  struct Parts;

 private:
  explicit AccessEngine(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace mta
