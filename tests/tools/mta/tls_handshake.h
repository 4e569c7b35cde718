/// A TLS client and a server in one process, over memory.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <string>

#include "tests/libconf/diagnostic_messages.h"
#include "tests/tools/mta/tls_certificates.h"
#include "tools/mta/tls/tls_facts.h"

namespace postkit_test {

/// What the client is like; by default it takes everything and trusts everybody.
struct TlsClient {
  int minimum = TLS1_VERSION;
  int maximum = 0;
  std::string ciphers = "ALL:@SECLEVEL=0";
  std::string groups = {};
  std::string signatures = {};
  std::string server_name = {};
  const Identity* identity = nullptr;
  const Identity* issuer = nullptr;  ///< Sent along.
  SSL_SESSION* session = nullptr;    ///< To be resumed.
};

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionHandle = std::unique_ptr<SSL_SESSION, FreeSession>;

/// How a handshake ended.
struct TlsOutcome {
  bool is_complete = false;
  mta::TlsFacts facts;
  std::vector<std::string> log;
  std::string server_certificate_cn;
  SessionHandle session;  ///< What the client could resume.
};

inline mta::SslContextHandle client_context(const TlsClient& client, SessionHandle& issued) {
  mta::SslContextHandle context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), client.minimum);
  SSL_CTX_set_max_proto_version(context.get(), client.maximum);
  if (SSL_CTX_set_cipher_list(context.get(), client.ciphers.c_str()) != 1)
    throw std::runtime_error("client ciphers");
  if (!client.groups.empty() && SSL_CTX_set1_groups_list(context.get(), client.groups.c_str()) != 1)
    throw std::runtime_error("client groups");
  if (!client.signatures.empty() && SSL_CTX_set1_sigalgs_list(context.get(), client.signatures.c_str()) != 1)
    throw std::runtime_error("client signatures");
  if (client.identity != nullptr) {
    SSL_CTX_use_certificate(context.get(), client.identity->certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), client.identity->key.get());
  }
  if (client.issuer != nullptr) SSL_CTX_add1_chain_cert(context.get(), client.issuer->certificate.get());
  // A session in a cache ends with it.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context.get(), &issued);
  SSL_CTX_sess_set_new_cb(context.get(), [](SSL* ssl, SSL_SESSION* session) {
    static_cast<SessionHandle*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->reset(session);
    return 1;
  });
  return context;
}

/// One step of a side; true: it is done. A failure is kept in `is_failed`.
inline bool step(SSL* ssl, bool& is_failed) {
  const int result = SSL_do_handshake(ssl);
  if (result == 1) return true;
  const int error = SSL_get_error(ssl, result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) is_failed = true;
  return false;
}

inline std::string common_name(X509* certificate) {
  std::array<char, 200> text{};
  if (certificate != nullptr)
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(),
                              static_cast<int>(text.size()));
  return text.data();
}

/// Runs a handshake with `server`.
inline TlsOutcome shake_hands(mta::TlsServerContext& server, const TlsClient& client = {}) {
  TlsOutcome outcome;
  libconf::DiagnosticList log;
  mta::TlsConnection connection{.client = "client.example.org[192.0.2.7]", .log = log};
  const mta::SslContextHandle context = client_context(client, outcome.session);
  const mta::SslHandle client_ssl(SSL_new(context.get()));
  const mta::SslHandle server_ssl(SSL_new(server.native()));
  if (!client.server_name.empty()) SSL_set_tlsext_host_name(client_ssl.get(), client.server_name.c_str());
  if (client.session != nullptr) SSL_set_session(client_ssl.get(), client.session);
  BIO* client_end = nullptr;
  BIO* server_end = nullptr;
  BIO_new_bio_pair(&client_end, 1 << 17, &server_end, 1 << 17);
  SSL_set_bio(client_ssl.get(), client_end, client_end);
  SSL_set_bio(server_ssl.get(), server_end, server_end);
  SSL_set_connect_state(client_ssl.get());
  SSL_set_accept_state(server_ssl.get());
  server.attach(server_ssl.get(), connection);
  bool is_failed = false;
  bool is_client_done = false;
  bool is_server_done = false;
  for (int i = 0; i < 10 && !is_failed && !(is_client_done && is_server_done); ++i) {
    ERR_clear_error();
    is_client_done = step(client_ssl.get(), is_failed);
    ERR_clear_error();
    bool is_server_failed = false;
    is_server_done = step(server_ssl.get(), is_server_failed);
    if (is_server_failed) {
      mta::log_failed_handshake(connection, "-1");
      is_failed = true;
    }
  }
  outcome.is_complete = is_client_done && is_server_done;
  if (outcome.is_complete) {
    char byte = 0;
    SSL_read(client_ssl.get(), &byte, 1);  // Tickets of TLS 1.3 come after the handshake.
    outcome.facts = mta::read_tls_facts(server_ssl.get(), server.policy(), connection);
    mta::log_established(outcome.facts, server.policy(), connection);
    outcome.server_certificate_cn = common_name(SSL_get0_peer_certificate(client_ssl.get()));
  }
  // A session that ends without a word is not to be resumed.
  SSL_set_shutdown(client_ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ERR_clear_error();
  outcome.log = libconf::messages(log);
  return outcome;
}

}  // namespace postkit_test
