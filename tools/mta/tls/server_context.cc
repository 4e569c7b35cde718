#include "tools/mta/tls/server_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>

#include <array>

#include "libconf/text.h"
#include "tools/mta/tls/certificate_chain.h"
#include "tools/mta/tls/server_certificates.h"
#include "tools/mta/tls/verify_problem.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Settings;

/// Sessions are resumed by whoever issued them: their tickets open with no other context's keys.
constexpr std::string_view kSessionIdContext = "smtpd";

constexpr std::string_view kPrefix = "smtpd_tls_";

/// The levels of smtpd_tls_loglevel.
constexpr int kLogHandshake = 2;

int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void log_info(DiagnosticSink& sink, std::string message) {
  sink.report({.severity = Severity::kInfo, .code = "tls", .message = std::move(message)});
}

/// Keys are without a passphrase: nobody is there to type it.
int refuse_passphrase(char*, int, int, void*) { return 0; }

/// What OpenSSL could not be told, which is Postfix's to live with.
void set_bound(int (*set)(SSL_CTX*, int), SSL_CTX* context, std::string_view which, int version,
               DiagnosticSink& sink) {
  if (set(context, version) == 1) return;
  take_library_problems();
  set(context, 0);
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%04x", static_cast<unsigned>(version));
  sink.warn("tls-version", concat("error setting ", which, " TLS version to: ", text.data(),
                                  ", which OpenSSL does not know"));
}

int set_minimum(SSL_CTX* context, int version) {
  return static_cast<int>(SSL_CTX_set_min_proto_version(context, version));
}

int set_maximum(SSL_CTX* context, int version) {
  return static_cast<int>(SSL_CTX_set_max_proto_version(context, version));
}

Result<void> apply(const TlsPolicy& policy, SSL_CTX* context, DiagnosticSink& sink) {
  // Old versions and anonymous ciphers are below OpenSSL's default level; the lists decide about them.
  SSL_CTX_set_security_level(context, 0);
  set_bound(set_minimum, context, "minimum", policy.protocols.minimum, sink);
  set_bound(set_maximum, context, "maximum", policy.protocols.maximum, sink);
  SSL_CTX_clear_options(context, SSL_OP_ALL);
  SSL_CTX_set_options(context, policy.options | policy.protocols.without | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_cipher_list(context, policy.cipher_list.c_str()) != 1) {
    report_library_problems(sink);
    return libconf::configuration_error(concat("error setting cipher grade: \"", policy.cipher_grade, "\""));
  }
  if (!policy.groups.empty() && SSL_CTX_set1_groups_list(context, policy.groups.c_str()) != 1) {
    take_library_problems();
    sink.warn("tls-groups", "failed to configure ECDHE curves");
  }
  load_dh_parameters(context, policy.dh_parameter_file, sink);
  SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
  return {};
}

}  // namespace

/// What OpenSSL calls back.
struct TlsCallbacks {
  static TlsServerContext& context_of(const SSL* session) {
    return *static_cast<TlsServerContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), context_index()));
  }

  static TlsConnection& connection_of(const SSL* session) {
    return *static_cast<TlsConnection*>(SSL_get_ex_data(session, session_index()));
  }

  static bool logs_handshake(const SSL* session) {
    return context_of(session).policy_.log_level >= kLogHandshake;
  }

  /// A certificate that is not trusted does not end the handshake: whether it matters is for restrictions.
  static int verify(int is_valid, X509_STORE_CTX* store) {
    const auto* session =
        static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    TlsConnection& connection = connection_of(session);
    const TlsPolicy& policy = context_of(session).policy_;
    if (policy.log_level >= kLogHandshake)
      log_info(connection.log,
               concat(connection.client, ": depth=", std::to_string(X509_STORE_CTX_get_error_depth(store)),
                      " verify=", std::to_string(is_valid),
                      " subject=", one_line(X509_get_subject_name(X509_STORE_CTX_get_current_cert(store)))));
    if (is_valid == 0 && connection.verify_problem.empty())
      connection.verify_problem =
          describe_verify_problem(store, TlsPeer::kClient, connection.client, policy.verify_depth);
    return 1;
  }

  static int server_name(SSL* session, int* alert, void*) {
    const char* text = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    if (text == nullptr || *text == '\0') return SSL_TLSEXT_ERR_NOACK;
    const std::string name = text;
    TlsConnection& connection = connection_of(session);
    if (!is_server_name(name)) {
      connection.log.warn("sni-invalid", concat("TLS SNI from ", connection.client, " is invalid: ", name));
      return SSL_TLSEXT_ERR_NOACK;
    }
    const Result<std::optional<std::string>> chain = context_of(session).sni_maps_.find(name, connection.log);
    if (chain && !*chain) {
      log_info(connection.log,
               concat("TLS SNI ", name, " from ", connection.client, " not matched, using default chain"));
      return SSL_TLSEXT_ERR_NOACK;
    }
    if (!chain) {
      connection.log.warn("sni-lookup", chain.error().message);
    } else if (install_chain(session, name, **chain, connection.log)) {
      connection.server_name = name;
      return SSL_TLSEXT_ERR_OK;
    }
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  /// In place of the default chains: a client must not meet a certificate with another name.
  static bool install_chain(SSL* session, const std::string& name, std::string_view pem,
                            DiagnosticSink& log) {
    SSL_certs_clear(session);
    ChainReader chains(ChainOrder::kKeyFirst, install_in(session), log);
    const std::string source = concat("SNI data for ", name);
    const BioHandle bio = memory_bio(pem);
    if (bio != nullptr && chains.read(source, bio.get()) && chains.finish()) return true;
    log.warn("sni-chain", concat("error loading private keys and certificates from: ", source,
                                 ": aborting TLS handshake"));
    return false;
  }

  static int ticket_key(SSL* session, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int is_sealing) {
    TicketKeys& keys = *context_of(session).ticket_keys_;
    const std::optional<TicketKeys::Key> key = is_sealing != 0 ? keys.sealing_key() : keys.opening_key(name);
    if (!key) return is_sealing != 0 ? -1 : 0;
    if (is_sealing != 0) {
      std::copy(key->name.begin(), key->name.end(), name);
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(keys.cipher())) != 1) return -1;
    }
    std::string digest = "SHA256";
    const std::array parameters = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                          const_cast<unsigned char*>(key->authentication.data()),
                                          key->authentication.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_MAC_CTX_set_params(mac, parameters.data()) != 1 ||
        EVP_CipherInit_ex(cipher, keys.cipher(), nullptr, key->encryption.data(), iv, is_sealing) != 1)
      return -1;
    if (logs_handshake(session)) {
      const TlsConnection& connection = connection_of(session);
      log_info(connection.log,
               concat(connection.client, ": ", is_sealing != 0 ? "Issuing" : "Decrypting",
                      " session ticket, key expiration: ", std::to_string(key->sealing_ends)));
    }
    return is_sealing == 0 && keys.is_retiring(*key) ? 2 : 1;
  }

  static void state(const SSL* session, int where, int value) {
    TlsConnection& connection = connection_of(session);
    const bool is_failure = (where & SSL_CB_EXIT) != 0 && value <= 0 && ERR_peek_error() != 0;
    if (is_failure) connection.library_problems = library_problems();
    if (!logs_handshake(session) || (where & SSL_ST_ACCEPT) == 0) {
      log_alert(session, where, value, connection);
      return;
    }
    if ((where & SSL_CB_LOOP) != 0) {
      log_info(connection.log, concat("SSL_accept:", SSL_state_string_long(session)));
    } else if (is_failure) {
      log_info(connection.log, concat("SSL_accept:error in ", SSL_state_string_long(session)));
    }
  }

  /// The end of a session is no news.
  static void log_alert(const SSL* session, int where, int value, const TlsConnection& connection) {
    if ((where & SSL_CB_ALERT) == 0 || (value & 0xff) == SSL_AD_CLOSE_NOTIFY || !logs_handshake(session))
      return;
    log_info(connection.log,
             concat("SSL3 alert ", (where & SSL_CB_READ) != 0 ? "read" : "write", ":",
                    SSL_alert_type_string_long(value), ":", SSL_alert_desc_string_long(value)));
  }
};

TlsServerContext::TlsServerContext(TlsPolicy policy, SslContextHandle context, SniMaps sni_maps)
    : policy_(std::move(policy)), context_(std::move(context)), sni_maps_(std::move(sni_maps)) {}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::load(const TlsPolicy& policy,
                                                                 const Settings& settings,
                                                                 DiagnosticSink& sink, Clock clock) {
  if (policy.log_level >= kLogHandshake) log_info(sink, "initializing the server-side TLS engine");
  SslContextHandle handle(SSL_CTX_new(TLS_server_method()));
  if (handle == nullptr) {
    report_library_problems(sink);
    return libconf::configuration_error("cannot allocate server SSL_CTX: disabling TLS support");
  }
  SSL_CTX* context = handle.get();
  Result<void> applied = apply(policy, context, sink);
  if (!applied) return applied.error();
  Result<void> authorities = load_authorities(context, kPrefix, settings, policy.asks_certificate, sink);
  if (!authorities) return authorities.error();
  const Result<bool> is_named = names_certificate(kPrefix, settings);
  if (!is_named) return is_named.error();
  if (!*is_named) return libconf::configuration_error("No server certs available. TLS won't be enabled");
  Result<bool> has_certificate = load_certificates(context, kPrefix, settings, sink);
  if (!has_certificate) return has_certificate.error();
  if (!*has_certificate && policy.asks_certificate) {
    sink.warn("tls-client-certificate", "Need a server cert to request client certs");
    return libconf::configuration_error("No server certs available. TLS won't be enabled");
  }
  Result<SniMaps> sni_maps = SniMaps::open(settings, sink);
  if (!sni_maps) return sni_maps.error();

  std::shared_ptr<TlsServerContext> self(
      new TlsServerContext(policy, std::move(handle), std::move(*sni_maps)));
  SSL_CTX_set_ex_data(context, context_index(), self.get());
  SSL_CTX_set_info_callback(context, TlsCallbacks::state);
  if (policy.asks_certificate) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, TlsCallbacks::verify);
    SSL_CTX_set_verify_depth(context, policy.verify_depth + 1);
  }
  if (!self->sni_maps_.is_empty()) SSL_CTX_set_tlsext_servername_callback(context, TlsCallbacks::server_name);

  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessionIdContext.data()),
                                 static_cast<unsigned>(kSessionIdContext.size()));
  // IDs that no cache knows: some clients want to see one.
  SSL_CTX_set_session_cache_mode(context, policy.issues_session_ids
                                              ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL
                                              : SSL_SESS_CACHE_OFF);
  if (policy.session_lifetime.count() > 0)
    SSL_CTX_set_timeout(context, static_cast<long>(policy.session_lifetime.count()));
  if (policy.ticket_cipher == nullptr) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  } else {
    self->ticket_keys_.emplace(policy.ticket_cipher, policy.session_lifetime, std::move(clock));
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, TlsCallbacks::ticket_key);
    SSL_CTX_set_num_tickets(context, 1);
  }
  return self;
}

void TlsServerContext::attach(SSL* session, TlsConnection& connection) {
  SSL_set_ex_data(session, session_index(), &connection);
  if (policy_.log_level < kLogHandshake) return;
  log_info(connection.log, concat("setting up TLS connection from ", connection.client));
  log_info(connection.log, concat(connection.client, ": TLS cipher list \"", policy_.cipher_list, "\""));
}

void log_failed_handshake(const TlsConnection& connection, std::string_view reason) {
  log_info(connection.log, concat("SSL_accept error from ", connection.client, ": ", reason));
  for (const std::string& problem : connection.library_problems) connection.log.warn("tls-library", problem);
}

}  // namespace mta
