/// TLS for a server: from main.cf to the SSL_CTX that its sessions are made from.
///
///     Result<TlsPolicy> policy = TlsPolicy::read(settings, sink);
///     Result<std::shared_ptr<TlsServerContext>> tls = TlsServerContext::load(*policy, settings, sink);
///     SslHandle session(SSL_new((*tls)->native()));
///     TlsConnection connection{.client = "host.example.org[192.0.2.7]", .log = log};
///     (*tls)->attach(session.get(), connection);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/mta/tls/sni_maps.h"
#include "tools/mta/tls/ticket_keys.h"
#include "tools/mta/tls/tls_policy.h"

namespace mta {

/// One connection, for messages of its handshake, and what a handshake leaves behind.
struct TlsConnection {
  std::string client;  ///< "name[address]"
  DiagnosticSink& log;

  std::string server_name = {};     ///< What the client asked for (SNI), if there are certificates for it.
  std::string verify_problem = {};  ///< The line that says why its certificate is not trusted.
  std::vector<std::string> library_problems = {};  ///< Why the handshake failed: lines.
};

/// Not thread-safe: one thread makes and runs the sessions of a context. Must outlive them.
class TlsServerContext {
 public:
  /// Loads keys and certificates, and opens tables. REQUIRES: policy.level is not kNone. `settings` must
  /// outlive the object. Errors: kConfiguration, for what makes TLS impossible: its message names file or
  /// parameter, and the sink has OpenSSL's reasons; STARTTLS is then answered with 454. Unlike Postfix 3.7, a
  /// chain file that cannot be opened is such an error: a server without its certificates turns most clients
  /// away.
  static Result<std::shared_ptr<TlsServerContext>> load(
      const TlsPolicy& policy, const libconf::Settings& settings, DiagnosticSink& sink,
      Clock clock = [] { return std::time(nullptr); });
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  const TlsPolicy& policy() const { return policy_; }

  /// Owned by this object. Who wants a reference of its own calls SSL_CTX_up_ref(), as for asio's context.
  SSL_CTX* native() const { return context_.get(); }

  /// Says whose session it is, before its handshake, and logs the start. `connection` must outlive the
  /// session.
  void attach(SSL* session, TlsConnection& connection);

 private:
  friend struct TlsCallbacks;
  TlsServerContext(TlsPolicy policy, SslContextHandle context, SniMaps sni_maps);

  TlsPolicy policy_;
  SslContextHandle context_;
  SniMaps sni_maps_;
  std::optional<TicketKeys> ticket_keys_;
};

/// Logs a handshake that failed: "SSL_accept error from CLIENT: REASON", and what OpenSSL said. `reason` is
/// the system's, or "-1" for an error of the protocol.
void log_failed_handshake(const TlsConnection& connection, std::string_view reason);

}  // namespace mta
