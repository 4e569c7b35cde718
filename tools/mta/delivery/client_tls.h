/// TLS of the SMTP or LMTP client: from main.cf to what its sessions are made from, and to what a server's
/// certificate is worth.
///
///     Result<std::unique_ptr<ClientTls>> tls = ClientTls::load("smtp_tls_", settings, sink);
///     ClientTlsSession session{.server = "mx.example.com[192.0.2.7]:25", .log = sink};
///     bool is_safe = co_await connection.start_tls(**tls, policy, session);
#pragma once

#include <asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"
#include "tools/mta/delivery/client_tls_policy.h"
#include "tools/mta/delivery/client_tls_sessions.h"
#include "tools/mta/tls/tls_policy.h"

namespace mta {

/// One connection, for messages of its handshake, and what that leaves behind.
struct ClientTlsSession {
  std::string server;  ///< "mx.example.com[192.0.2.7]:25"
  DiagnosticSink& log;

  ClientTlsSessions* resumable = nullptr;  ///< Where the session is kept; null: nowhere.
  std::string key = {};                    ///< Under that.

  bool has_records = true;                         ///< Some of the policy's can be used.
  bool has_names = true;                           ///< Those of the policy could be set.
  std::string verify_problem = {};                 ///< Why the server's certificate is not trusted: a line.
  std::vector<std::string> library_problems = {};  ///< Why the handshake failed: lines.
};

/// What a policy means for OpenSSL.
struct ClientTlsParameters {
  TlsProtocols protocols;
  std::string cipher_list;
};

/// Not thread-safe. Must outlive its sessions.
class ClientTls {
 public:
  /// Loads authorities and certificates. `prefix`: "smtp_tls_" or "lmtp_tls_". `settings` must outlive the
  /// object. Errors: kConfiguration, for what makes TLS impossible; the sink has OpenSSL's reasons.
  static Result<std::unique_ptr<ClientTls>> load(std::string_view prefix, const libconf::Settings& settings,
                                                 DiagnosticSink& sink);
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  asio::ssl::context& context() { return *context_; }

  /// Errors: kConfiguration, for what no session can be made with.
  Result<ClientTlsParameters> parameters_of(const ClientTlsPolicy& policy);

  /// Prepares a session for its handshake. `session` must outlive it.
  void attach(SSL* ssl, const ClientTlsParameters& parameters, const ClientTlsPolicy& policy,
              ClientTlsSession& session);

  /// After the handshake: whether the server is who it has to be. Logs what was established.
  bool check(const SSL* ssl, const ClientTlsPolicy& policy, ClientTlsSession& session) const;

  /// "SSL_connect error to SERVER: REASON", and what OpenSSL said.
  static void log_failure(const ClientTlsSession& session, bool is_timeout);

 private:
  friend struct ClientTlsCallbacks;
  explicit ClientTls(const libconf::Settings& settings) : settings_(settings) {}
  Result<void> read(std::string_view prefix, DiagnosticSink& sink);
  static void use_records(SSL* ssl, const ClientTlsPolicy& policy, ClientTlsSession& session);
  bool has_fingerprint(const SSL* ssl, const ClientTlsPolicy& policy) const;

  const libconf::Settings& settings_;
  std::optional<asio::ssl::context> context_;
  std::string usable_ciphers_;  ///< A list that OpenSSL took.
  int log_level_ = 0;
  int verify_depth_ = 0;
  const EVP_MD* digest_ = nullptr;
  std::optional<ClientTlsSessions> resumable_;  ///< Nothing: each session is a new one.
};

}  // namespace mta
