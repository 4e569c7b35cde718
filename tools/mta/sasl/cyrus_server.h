/// AUTH through Cyrus SASL (SASL_README, "Configuring Cyrus SASL"): libsasl2, its plugins, sasldb2,
/// saslauthd.
///
///     smtpd_sasl_type = cyrus
///     smtpd_sasl_path = smtpd                 # smtpd.conf in cyrus_sasl_config_path
///
/// Calls that verify a password run on threads of their own; sessions go on meanwhile.
#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "tools/mta/sasl/cyrus_options.h"
#include "tools/mta/sasl/sasl_backend.h"
#include "tools/mta/sasl/security_options.h"

namespace mta {

struct CyrusSettings {
  CyrusOptions config;
  std::string root;  ///< Where its paths start, as libconf::RootedPath::root.
  std::string service;
  std::string host_name;                      ///< What mechanisms call this host.
  std::string local_domain;                   ///< The realm; empty: none.
  SecurityOptions options;                    ///< Without TLS.
  SecurityOptions tls_options;                ///< With TLS.
  std::chrono::milliseconds timeout{60'000};  ///< How long a session waits for a verdict.
};

/// As the parameters smtpd_sasl_* have it. Without cyrus_sasl_config_path, the configuration file is looked
/// for where Debian's Postfix has it, in "sasl" of config_directory, and then where the library has it.
/// Initialises the library. `log` gets what the library says, and must outlive it. Errors: kConfiguration;
/// kSyntax and kInputOutput, from the configuration file.
libconf::Result<std::unique_ptr<SaslBackend>> create_cyrus_server(const libconf::Settings& settings,
                                                                  asio::any_io_executor executor,
                                                                  libconf::DiagnosticSink& log);

/// Errors: kConfiguration, when the library cannot be initialised.
libconf::Result<std::unique_ptr<SaslBackend>> create_cyrus_server(CyrusSettings settings,
                                                                  asio::any_io_executor executor,
                                                                  libconf::DiagnosticSink& log);

}  // namespace mta
