/// AUTH through Dovecot's auth server (SASL_README, "Configuring Dovecot SASL"): a client of its
/// authentication protocol over a UNIX-domain socket or TCP.
///
///     smtpd_sasl_type = dovecot
///     smtpd_sasl_path = private/auth            # or unix:/path, inet:host:port
///
/// All sessions share one connection, on which many requests are under way at a time. It is made when it is
/// needed first, and again when it was lost. Whatever goes wrong with it is temporary.
#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "libconf/diagnostic.h"
#include "libconf/service_root.h"
#include "libconf/settings.h"
#include "tools/mta/sasl/sasl_backend.h"
#include "tools/mta/sasl/security_options.h"

namespace mta {

struct DovecotSettings {
  std::string path;           ///< As smtpd_sasl_path has it.
  libconf::ServiceRoot root;  ///< What a UNIX path is taken from.
  std::string service;
  SecurityOptions options;                            ///< Without TLS.
  SecurityOptions tls_options;                        ///< With TLS.
  std::chrono::milliseconds connect_timeout{10'000};  ///< Until the end of the handshake.
  /// Longer than the 17 seconds that Dovecot may delay a failure (auth_failure_delay, auth penalty).
  std::chrono::milliseconds reply_timeout{30'000};
};

/// As the parameters smtpd_sasl_* have it; a path without type is of a UNIX-domain socket, and may be
/// relative to queue_directory. Nothing is connected yet. `log` gets warnings, and must outlive it. Errors:
/// kConfiguration.
libconf::Result<std::unique_ptr<SaslBackend>> create_dovecot_client(const libconf::Settings& settings,
                                                                    asio::any_io_executor executor,
                                                                    libconf::DiagnosticSink& log);

/// Errors: kConfiguration, for a path that names no place.
libconf::Result<std::unique_ptr<SaslBackend>> create_dovecot_client(DovecotSettings settings,
                                                                    asio::any_io_executor executor,
                                                                    libconf::DiagnosticSink& log);

}  // namespace mta
