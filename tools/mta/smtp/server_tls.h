/// TLS of one smtpd service: what main.cf asks for, and the context that its sessions are made from.
///
///     Result<std::unique_ptr<ServerTls>> tls = ServerTls::create(settings, sink);
///     if (!(*tls)->is_available()) return reply_that_tls_is_not_available();
///     co_await stream.start_tls((*tls)->asio_context(), attach);
#pragma once

#include <asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/tls/server_context.h"
#include "tools/mta/tls/tls_facts.h"
#include "tools/mta/tls/tls_policy.h"

namespace mta {

/// Not thread-safe, as TlsServerContext is not. Must outlive its sessions.
class ServerTls {
 public:
  /// Loads keys and certificates, unless smtpd_tls_security_level is none. What makes TLS impossible goes to
  /// `sink`, and the service runs without it, as Postfix does: STARTTLS is answered with 454. `settings` and
  /// `sink` must outlive the object. Errors: kConfiguration, for an unknown level; as Settings::get().
  static Result<std::unique_ptr<ServerTls>> create(const libconf::Settings& settings, DiagnosticSink& sink);

  TlsLevel level() const { return level_; }

  /// smtpd_tls_wrappermode: TLS begins with the connection.
  bool is_wrapper() const { return is_wrapper_; }

  /// smtpd_starttls_timeout
  std::chrono::seconds time_limit() const { return time_limit_; }

  bool is_available() const { return context_ != nullptr; }

  /// REQUIRES, as those that follow: is_available().
  TlsServerContext& context() { return *context_; }
  const TlsPolicy& policy() const { return context_->policy(); }
  asio::ssl::context& asio_context() { return *asio_context_; }

 private:
  ServerTls() = default;
  Result<void> load(const libconf::Settings& settings, DiagnosticSink& sink);

  TlsLevel level_ = TlsLevel::kNone;
  bool is_wrapper_ = false;
  std::chrono::seconds time_limit_{0};
  std::shared_ptr<TlsServerContext> context_;
  std::optional<asio::ssl::context> asio_context_;  ///< A reference to the same SSL_CTX.
};

/// What restrictions and policy servers see of a session with TLS.
TlsState tls_state(const TlsFacts& facts);

}  // namespace mta
