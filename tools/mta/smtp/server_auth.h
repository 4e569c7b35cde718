/// AUTH of one smtpd service: whether it is there, for whom, and who verifies passwords.
///
///     Result<std::unique_ptr<ServerAuth>> auth = ServerAuth::create(settings, executor, open_table, sink);
///     if ((*auth)->is_enabled()) exchange = (*auth)->sasl().exchange(peer);
#pragma once

#include <asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/match_list.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/sasl/auth_limits.h"
#include "tools/mta/sasl/sasl_server.h"

namespace mta {

/// Not thread-safe. Must outlive its sessions.
class ServerAuth {
 public:
  /// With smtpd_sasl_auth_enable = no nothing else is looked at. `sink` must outlive the object. Errors:
  /// kConfiguration, as SaslServer::create(); those of the settings, and of tables that cannot be opened.
  static libconf::Result<std::unique_ptr<ServerAuth>> create(const libconf::Settings& settings,
                                                             asio::any_io_executor executor,
                                                             const libmaps::MatchList::OpenTable& open_table,
                                                             libconf::DiagnosticSink& sink);

  bool is_enabled() const { return sasl_ != nullptr; }

  /// smtpd_tls_auth_only
  bool requires_tls() const { return requires_tls_; }

  /// smtpd_sasl_authenticated_header
  bool adds_header() const { return adds_header_; }

  /// Whether this client is told of AUTH (smtpd_sasl_exceptions_networks). Errors: those of tables.
  libconf::Result<bool> is_announced_to(const ClientState& client);

  /// REQUIRES: is_enabled().
  SaslServer& sasl() { return *sasl_; }
  AuthLimits& limits() { return *limits_; }

 private:
  ServerAuth() = default;

  std::unique_ptr<SaslServer> sasl_;
  std::optional<AuthLimits> limits_;
  std::optional<libmaps::MatchList> exceptions_;
  bool requires_tls_ = false;
  bool adds_header_ = false;
};

}  // namespace mta
