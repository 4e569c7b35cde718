/// What is known of a session after its handshake, and how Postfix tells it, in logs and in Received:
/// headers.
///
///     TlsFacts facts = read_tls_facts(session, policy, connection);
///     log_established(facts, policy, connection);
///     header += received_tls_comment(facts);
#pragma once

#include <string>

#include "tools/mta/tls/server_context.h"

namespace mta {

/// Who signed a handshake, and how; only TLS 1.3 tells.
struct TlsSignature {
  std::string algorithm;  ///< "RSA-PSS (2048 bits)", "ECDSA (prime256v1)", "ED25519"; empty: nobody.
  std::string digest;     ///< "SHA256"; empty: part of the algorithm, or the session was resumed.
};

/// Names and fingerprints are of the client's certificate. Names are UTF-8, and as the client wrote them.
struct TlsFacts {
  std::string protocol;  ///< "TLSv1.3"
  std::string cipher;    ///< "TLS_AES_256_GCM_SHA384"
  int cipher_bits = 0;   ///< Of the key that are secret.
  int algorithm_bits = 0;
  std::string key_exchange;  ///< "X25519", "ECDHE (prime256v1)", "DHE (2048 bits)"; empty before TLS 1.3.
  TlsSignature server_signature;
  TlsSignature client_signature;
  bool is_resumed = false;
  std::string server_name;  ///< See TlsConnection.
  bool is_certificate_asked = false;
  bool has_certificate = false;
  bool is_trusted = false;  ///< The certificate leads to an authority that is trusted.
  std::string subject_cn;   ///< Empty: it has none.
  std::string issuer_cn;    ///< Or the organisation, where there is no CN.
  std::string subject;      ///< All of the name, in one line.
  std::string issuer;
  std::string certificate_fingerprint;  ///< "AF:88:7C:...", as tables have it (check_ccert_access).
  std::string public_key_fingerprint;
};

/// REQUIRES: the handshake is complete. Names that cannot be shown are left empty, with a warning in
/// connection.log.
TlsFacts read_tls_facts(const SSL* session, const TlsPolicy& policy, const TlsConnection& connection);

/// The same of a session in which we are the client: how it is protected, and nothing of certificates.
TlsFacts read_client_tls_facts(const SSL* session);

/// As tables and lists have them: "AF:88:7C:...". Empty: OpenSSL could not tell.
std::string certificate_fingerprint(const X509* certificate, const EVP_MD* digest);
std::string public_key_fingerprint(const X509* certificate, const EVP_MD* digest);

/// "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 ...", in one line.
std::string tls_summary(const TlsFacts& facts);

/// The two comments of a Received: header (smtpd_tls_received_header), without what is before and behind
/// them:
/// "(using TLSv1.3 ...\n\t key-exchange ...)\n\t(No client certificate requested)".
std::string received_tls_comment(const TlsFacts& facts);

/// "Anonymous", "Untrusted" or "Trusted TLS connection established from CLIENT: ...", and from level 2 on the
/// certificate, as smtpd_tls_loglevel has it.
void log_established(const TlsFacts& facts, const TlsPolicy& policy, const TlsConnection& connection);

}  // namespace mta
