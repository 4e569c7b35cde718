/// The files of keys and certificates that main.cf names, loaded into an SSL_CTX. `prefix` is that of the
/// parameters: "smtpd_tls_", "smtp_tls_", "lmtp_tls_".
///
///     Result<bool> has_certificate = load_certificates(context, "smtpd_tls_", settings, sink);
#pragma once

#include "tools/mta/tls/tls_library.h"

namespace mta {

/// smtpd_tls_chain_files, or smtpd_tls_cert_file, smtpd_tls_key_file and their likes for DSA and ECDSA.
/// False: there are none, and "none" is named instead, or nothing. Errors: kConfiguration, worded as Postfix
/// words it; the sink has the reasons.
Result<bool> load_certificates(SSL_CTX* context, std::string_view prefix, const libconf::Settings& settings,
                               DiagnosticSink& sink);

/// Whether a certificate is named, or "none" instead.
Result<bool> names_certificate(std::string_view prefix, const libconf::Settings& settings);

/// smtpd_tls_CAfile, smtpd_tls_CApath, tls_append_default_CA: whom to trust. With `asks_certificate` the
/// authorities of the file are told to clients. Errors: the same.
Result<void> load_authorities(SSL_CTX* context, std::string_view prefix, const libconf::Settings& settings,
                              bool asks_certificate, DiagnosticSink& sink);

/// Ephemeral Diffie-Hellman with the parameters of a file; empty: OpenSSL's. What is wrong with the file is
/// warned of, and OpenSSL's are taken.
void load_dh_parameters(SSL_CTX* context, const std::string& file, DiagnosticSink& sink);

}  // namespace mta
