#include "tools/mta/tls/tls_facts.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <optional>

#include "libconf/hex.h"
#include "libconf/text.h"
#include "tools/mta/content/header_line.h"
#include "tools/mta/tls/verify_problem.h"

namespace mta {
namespace {

using libconf::concat;

std::string bits_of(const EVP_PKEY* key) {
  return concat("(", std::to_string(EVP_PKEY_get_bits(key)), " bits)");
}

std::string group_of(const EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(), &size);
  return concat("(", std::string_view(name.data(), std::min(size, name.size())), ")");
}

std::string type_of(const EVP_PKEY* key) {
  const char* name = EVP_PKEY_get0_type_name(key);
  return name == nullptr ? "" : name;
}

std::string describe_key_exchange(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return concat("ECDHE ", group_of(key));
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
      return concat("DHE ", bits_of(key));
    default:
      return type_of(key);
  }
}

std::string describe_signature(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return concat("RSA-PSS ", bits_of(key));
    case EVP_PKEY_EC:
      return concat("ECDSA ", group_of(key));
    default:
      return type_of(key);
  }
}

TlsSignature read_signature(const SSL* session, const X509* certificate,
                            int (*get_digest)(const SSL*, int*)) {
  TlsSignature signature;
  const EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  if (key == nullptr) return signature;
  signature.algorithm = describe_signature(key);
  int digest = NID_undef;
  if (get_digest(session, &digest) == 1 && digest != NID_undef) signature.digest = OBJ_nid2sn(digest);
  return signature;
}

int own_digest(const SSL* session, int* nid) {
  return static_cast<int>(SSL_get_signature_nid(const_cast<SSL*>(session), nid));
}

int peer_digest(const SSL* session, int* nid) {
  return static_cast<int>(SSL_get_peer_signature_nid(const_cast<SSL*>(session), nid));
}

/// Who may have signed a handshake.
struct Signer {
  const X509* certificate;
  int (*digest)(const SSL*, int*);
};

void read_tls13_facts(const SSL* session, const Signer& server, const Signer& client, TlsFacts& facts) {
  EVP_PKEY* share = nullptr;
  if (SSL_get_peer_tmp_key(const_cast<SSL*>(session), &share) == 1) {
    const KeyHandle owner(share);
    facts.key_exchange = describe_key_exchange(share);
  }
  facts.server_signature = read_signature(session, server.certificate, server.digest);
  facts.client_signature = read_signature(session, client.certificate, client.digest);
}

void read_cipher(const SSL* session, TlsFacts& facts) {
  facts.protocol = SSL_get_version(session);
  const SSL_CIPHER* cipher = SSL_get_current_cipher(session);
  facts.cipher = SSL_CIPHER_get_name(cipher);
  facts.cipher_bits = SSL_CIPHER_get_bits(cipher, &facts.algorithm_bits);
  facts.is_resumed = SSL_session_reused(session) == 1;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// The first part of the name with the type; nothing: it has none.
std::optional<std::string> name_part(const X509_NAME* name, int nid, std::string_view what,
                                     const TlsConnection& connection) {
  const int position = X509_NAME_get_index_by_NID(name, nid, -1);
  if (position < 0) return std::nullopt;
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, position)));
  if (size < 0) {
    take_library_problems();
    connection.log.warn("tls-name", concat("tls_text_name: ", connection.client, ": error decoding ", what));
    return "";
  }
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  if (!has_control_characters(text)) return text;
  connection.log.warn("tls-name",
                      concat("tls_text_name: ", connection.client, ": non-printable content in ", what));
  return "";
}

std::string with_colons(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    libconf::append_hex(text, static_cast<char>(bytes[i]));
  }
  return text;
}

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

void read_certificate(const X509* certificate, const TlsPolicy& policy, const TlsConnection& connection,
                      TlsFacts& facts) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const X509_NAME* issuer = X509_get_issuer_name(certificate);
  facts.subject_cn = name_part(subject, NID_commonName, "peer subject CN", connection).value_or("");
  std::optional<std::string> issuer_cn = name_part(issuer, NID_commonName, "issuer CN", connection);
  if (!issuer_cn) issuer_cn = name_part(issuer, NID_organizationName, "issuer Organization", connection);
  facts.issuer_cn = issuer_cn.value_or("");
  facts.subject = one_line(subject);
  facts.issuer = one_line(issuer);
  facts.certificate_fingerprint = certificate_fingerprint(certificate, policy.fingerprint_digest);
  facts.public_key_fingerprint = public_key_fingerprint(certificate, policy.fingerprint_digest);
}

/// "server-signature RSA-PSS (2048 bits) server-digest SHA256"
std::string describe(std::string_view who, const TlsSignature& signature) {
  std::string text = concat(who, "-signature ", signature.algorithm);
  if (!signature.digest.empty()) text += concat(" ", who, "-digest ", signature.digest);
  return text;
}

/// The summary, with `break_line` before what is to be on a line of its own.
std::string summary(const TlsFacts& facts, std::string_view break_line) {
  std::string text =
      concat(facts.protocol, " with cipher ", facts.cipher, " (", std::to_string(facts.cipher_bits), "/",
             std::to_string(facts.algorithm_bits), " bits)");
  if (!facts.key_exchange.empty()) text += concat(break_line, " key-exchange ", facts.key_exchange);
  if (!facts.server_signature.algorithm.empty())
    text += concat(" ", describe("server", facts.server_signature));
  if (!facts.client_signature.algorithm.empty())
    text += concat(break_line, " ", describe("client", facts.client_signature));
  return text;
}

void log_info(const TlsConnection& connection, std::string message) {
  connection.log.report({.severity = Severity::kInfo, .code = "tls", .message = std::move(message)});
}

void log_certificate(const TlsFacts& facts, const TlsConnection& connection) {
  log_info(connection, concat("subject=", facts.subject));
  log_info(connection, concat("issuer=", facts.issuer));
  log_info(connection, concat(connection.client, ": subject_CN=", facts.subject_cn,
                              ", issuer=", facts.issuer_cn, ", fingerprint=", facts.certificate_fingerprint,
                              ", pkey_fingerprint=", facts.public_key_fingerprint));
}

}  // namespace

std::string certificate_fingerprint(const X509* certificate, const EVP_MD* digest) {
  Digest bytes{};
  unsigned size = 0;
  if (X509_digest(certificate, digest, bytes.data(), &size) != 1) return "";
  return with_colons(bytes.data(), size);
}

std::string public_key_fingerprint(const X509* certificate, const EVP_MD* digest) {
  unsigned char* der = nullptr;
  const int der_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (der_size < 0) return "";
  Digest bytes{};
  unsigned size = 0;
  const bool is_done =
      EVP_Digest(der, static_cast<std::size_t>(der_size), bytes.data(), &size, digest, nullptr) == 1;
  OPENSSL_free(der);
  return is_done ? with_colons(bytes.data(), size) : "";
}

TlsFacts read_tls_facts(const SSL* session, const TlsPolicy& policy, const TlsConnection& connection) {
  TlsFacts facts;
  read_cipher(session, facts);
  facts.server_name = connection.server_name;
  facts.is_certificate_asked = policy.asks_certificate;
  const X509* certificate = SSL_get0_peer_certificate(session);
  facts.has_certificate = certificate != nullptr;
  facts.is_trusted = certificate != nullptr && SSL_get_verify_result(session) == X509_V_OK;
  if (certificate != nullptr) read_certificate(certificate, policy, connection, facts);
  if (SSL_version(session) >= TLS1_3_VERSION)
    read_tls13_facts(session, {SSL_get_certificate(session), own_digest}, {certificate, peer_digest}, facts);
  return facts;
}

TlsFacts read_client_tls_facts(const SSL* session) {
  TlsFacts facts;
  read_cipher(session, facts);
  if (SSL_version(session) < TLS1_3_VERSION) return facts;
  int signature = NID_undef;
  const bool has_signed = SSL_get_signature_type_nid(session, &signature) == 1 && signature != NID_undef;
  const X509* own = has_signed ? SSL_get_certificate(session) : nullptr;
  read_tls13_facts(session, {SSL_get0_peer_certificate(session), peer_digest}, {own, own_digest}, facts);
  return facts;
}

std::string tls_summary(const TlsFacts& facts) { return summary(facts, ""); }

std::string received_tls_comment(const TlsFacts& facts) {
  const std::string used = concat("(using ", summary(facts, "\n\t"), ")\n\t");
  if (facts.has_certificate)
    return concat(used, "(Client CN \"", comment_text(facts.subject_cn), "\", Issuer \"",
                  comment_text(facts.issuer_cn), "\" (", facts.is_trusted ? "verified OK" : "not verified",
                  "))");
  return concat(used, facts.is_certificate_asked ? "(Client did not present a certificate)"
                                                 : "(No client certificate requested)");
}

void log_established(const TlsFacts& facts, const TlsPolicy& policy, const TlsConnection& connection) {
  if (policy.log_level >= 2 && facts.is_resumed)
    log_info(connection, concat(connection.client, ": Reusing old session (RFC 5077 session ticket)"));
  if (policy.log_level >= 2 && facts.has_certificate) log_certificate(facts, connection);
  if (policy.log_level < 1) return;
  if (policy.requires_certificate && !connection.verify_problem.empty())
    log_info(connection, connection.verify_problem);
  const std::string_view trust = !facts.has_certificate ? "Anonymous"
                                 : facts.is_trusted     ? "Trusted"
                                                        : "Untrusted";
  log_info(connection, concat(trust, " TLS connection established from ", connection.client,
                              facts.server_name.empty() ? "" : concat(" to ", facts.server_name), ": ",
                              tls_summary(facts)));
}

}  // namespace mta
