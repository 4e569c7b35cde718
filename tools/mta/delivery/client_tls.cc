#include "tools/mta/delivery/client_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/delivery/dane_records.h"
#include "tools/mta/tls/server_certificates.h"
#include "tools/mta/tls/tls_facts.h"
#include "tools/mta/tls/verify_problem.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Settings;

/// Keys are without a passphrase: nobody is there to type it.
int refuse_passphrase(char*, int, int, void*) { return 0; }

int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void log_info(DiagnosticSink& sink, std::string message) {
  sink.report({.severity = Severity::kInfo, .code = "tls", .message = std::move(message)});
}

/// What sessions have in common that stand for each other: what was checked of the server, too.
std::string key_of(std::string_view server, const ClientTlsPolicy& policy) {
  std::string key =
      concat(server, "\n", std::to_string(static_cast<int>(policy.level)), "\n", policy.protocols, "\n",
             policy.cipher_grade, "\n", policy.excluded_ciphers, "\n", policy.server_name);
  for (const std::string& each : policy.matches) key += concat("\n", each);
  for (const TlsaRecord& each : policy.records) key += concat("\n", to_string(each));
  return key;
}

/// Of all that follows, the first error counts.
class Values {
 public:
  Values(const Settings& settings, std::string_view prefix) : settings_(settings), prefix_(prefix) {}
  std::string text(std::string_view name) { return keep(settings_.get(name)); }
  std::string own_text(std::string_view suffix) { return text(concat(prefix_, suffix)); }
  std::chrono::seconds own_time(std::string_view suffix) {
    return keep(settings_.get_duration(concat(prefix_, suffix)));
  }
  int own_number(std::string_view suffix) {
    return static_cast<int>(keep(settings_.get_int(concat(prefix_, suffix))));
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  T keep(Result<T> value) {
    if (value) return std::move(*value);
    if (!error_) error_ = std::move(value.error());
    return T{};
  }

  const Settings& settings_;
  std::string_view prefix_;
  std::optional<Error> error_;
};

}  // namespace

/// What OpenSSL calls back.
struct ClientTlsCallbacks {
  static ClientTlsSession& session_of(const SSL* ssl) {
    return *static_cast<ClientTlsSession*>(SSL_get_ex_data(ssl, session_index()));
  }

  /// A certificate that is not trusted does not end the handshake: check() decides.
  static int verify(int is_valid, X509_STORE_CTX* store) {
    const auto* ssl =
        static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    ClientTlsSession& session = session_of(ssl);
    if (is_valid == 0 && session.verify_problem.empty())
      session.verify_problem =
          describe_verify_problem(store, TlsPeer::kServer, session.server, SSL_get_verify_depth(ssl) - 1);
    return 1;
  }

  static int new_session(SSL* ssl, SSL_SESSION* made) {
    const ClientTlsSession& session = session_of(ssl);
    if (session.resumable == nullptr) return 0;
    session.resumable->put(session.key, made);
    return 1;
  }

  static void state(const SSL* ssl, int where, int value) {
    if ((where & SSL_CB_EXIT) != 0 && value <= 0 && ERR_peek_error() != 0)
      session_of(ssl).library_problems = library_problems();
  }
};

Result<std::unique_ptr<ClientTls>> ClientTls::load(std::string_view prefix, const Settings& settings,
                                                   DiagnosticSink& sink) {
  if (Result<void> started = start_tls_library(settings, sink); !started) return started.error();
  std::unique_ptr<ClientTls> tls(new ClientTls(settings));
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) {
    report_library_problems(sink);
    return libconf::configuration_error("cannot allocate client SSL_CTX: disabling TLS support");
  }
  tls->context_.emplace(context);
  if (Result<void> read = tls->read(prefix, sink); !read) return read.error();
  return tls;
}

Result<void> ClientTls::read(std::string_view prefix, DiagnosticSink& sink) {
  Values values(settings_, prefix);
  SSL_CTX* context = context_->native_handle();
  log_level_ = parse_tls_log_level(values.own_text("loglevel"), sink);
  verify_depth_ = values.own_number("scert_verifydepth");
  const std::string digest = values.own_text("fingerprint_digest");
  const bool is_resumable = !values.own_text("session_cache_database").empty();
  const std::chrono::seconds lifetime = values.own_time("session_cache_timeout");
  const std::uint64_t options =
      (SSL_OP_ALL & ~parse_disabled_workarounds(values.text("tls_disable_workarounds"), sink)) |
      parse_ssl_options(values.text("tls_ssl_options"), sink);
  const std::string groups =
      usable_groups(values.text("tls_eecdh_auto_curves"), values.text("tls_ffdhe_auto_groups"), sink);
  if (values.error()) return *values.error();
  digest_ = EVP_get_digestbyname(digest.c_str());
  if (digest_ == nullptr) {
    sink.warn("tls-digest", concat("Digest algorithm \"", digest, "\" not found"));
    return libconf::configuration_error("disabling TLS support");
  }
  // Old versions and anonymous ciphers are below OpenSSL's default level; the lists decide about them.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_clear_options(context, SSL_OP_ALL);
  SSL_CTX_set_options(context, options | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (is_resumable) {
    resumable_.emplace(lifetime);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, ClientTlsCallbacks::new_session);
  }
  SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
  if (!groups.empty() && SSL_CTX_set1_groups_list(context, groups.c_str()) != 1) {
    take_library_problems();
    sink.warn("tls-groups", "failed to configure ECDHE curves");
  }
  if (Result<void> loaded = load_authorities(context, prefix, settings_, false, sink); !loaded) return loaded;
  if (Result<bool> loaded = load_certificates(context, prefix, settings_, sink); !loaded)
    return loaded.error();
  SSL_CTX_dane_enable(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, ClientTlsCallbacks::verify);
  SSL_CTX_set_verify_depth(context, verify_depth_ + 1);
  SSL_CTX_set_info_callback(context, ClientTlsCallbacks::state);
  return {};
}

Result<ClientTlsParameters> ClientTls::parameters_of(const ClientTlsPolicy& policy) {
  ClientTlsParameters parameters;
  const Result<TlsProtocols> protocols = parse_tls_protocols(policy.protocols);
  // What OpenSSL does not know it would not ask for.
  if (!protocols || protocols->minimum > TLS1_3_VERSION)
    return libconf::configuration_error(
        concat("Invalid TLS protocol list \"", policy.protocols, "\": aborting TLS session"));
  parameters.protocols = *protocols;
  Result<std::string> ciphers = cipher_list_of_grade(policy.cipher_grade, settings_);
  if (!ciphers) return ciphers.error();
  const Result<std::string> exclusions = parse_cipher_exclusions(policy.excluded_ciphers);
  if (!exclusions) return exclusions.error();
  parameters.cipher_list = concat(*ciphers, *exclusions);
  if (parameters.cipher_list == usable_ciphers_) return parameters;
  const bool is_usable =
      SSL_CTX_set_cipher_list(context_->native_handle(), parameters.cipher_list.c_str()) == 1;
  take_library_problems();
  if (!is_usable)
    return libconf::configuration_error(concat("error setting cipher grade: \"", policy.cipher_grade, "\""));
  usable_ciphers_ = parameters.cipher_list;
  return parameters;
}

void ClientTls::attach(SSL* ssl, const ClientTlsParameters& parameters, const ClientTlsPolicy& policy,
                       ClientTlsSession& session) {
  SSL_set_ex_data(ssl, session_index(), &session);
  if (resumable_) {
    session.resumable = &*resumable_;
    session.key = key_of(session.server, policy);
    if (SSL_SESSION* known = resumable_->find(session.key)) SSL_set_session(ssl, known);
  }
  // A maximum that OpenSSL does not know is above all that it does.
  SSL_set_min_proto_version(ssl, parameters.protocols.minimum);
  SSL_set_max_proto_version(ssl, parameters.protocols.maximum);
  SSL_set_options(ssl, parameters.protocols.without);
  SSL_set_cipher_list(ssl, parameters.cipher_list.c_str());
  if (!policy.server_name.empty()) SSL_set_tlsext_host_name(ssl, policy.server_name.c_str());
  if (policy.level == ClientTlsLevel::kDane) use_records(ssl, policy, session);
  if (policy.level >= ClientTlsLevel::kVerify) {
    // An asterisk is one label, whatever tls_wildcard_matches_multiple_labels says: so Postfix 3.7 has it.
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    for (const std::string& name : policy.matches)
      session.has_names &= !name.empty() && SSL_add1_host(ssl, name.c_str()) == 1;
  }
  take_library_problems();
}

/// OpenSSL checks the server by its records then, and its name where the record is of an authority (RFC 7672,
/// section 3.2.3).
void ClientTls::use_records(SSL* ssl, const ClientTlsPolicy& policy, ClientTlsSession& session) {
  SSL_dane_enable(ssl, policy.server_name.c_str());
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  for (const std::string& name : policy.matches) SSL_add1_host(ssl, name.c_str());
  session.has_records = false;
  for (const TlsaRecord& record : policy.records) {
    const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
    const bool is_usable =
        SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching, data, record.data.size()) > 0;
    session.has_records |= is_usable;
    if (!is_usable)
      session.log.warn("dane", concat(session.server, ": unusable TLSA RR: ", to_string(record)));
  }
  if (!session.has_records)
    session.log.warn("dane", concat(session.server, ": all TLSA records unusable",
                                    policy.is_dane_only ? "" : ", fallback to unauthenticated TLS"));
}

bool ClientTls::has_fingerprint(const SSL* ssl, const ClientTlsPolicy& policy) const {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return false;
  for (std::string found :
       {certificate_fingerprint(certificate, digest_), public_key_fingerprint(certificate, digest_)}) {
    std::erase(found, ':');
    for (const std::string& wanted : policy.matches)
      if (libconf::equals_ignoring_case(found, wanted)) return true;
  }
  return false;
}

bool ClientTls::check(const SSL* ssl, const ClientTlsPolicy& policy, ClientTlsSession& session) const {
  const bool has_certificate = SSL_get0_peer_certificate(ssl) != nullptr;
  bool is_trusted = has_certificate && session.has_names && SSL_get_verify_result(ssl) == X509_V_OK;
  if (policy.level == ClientTlsLevel::kDane) {
    is_trusted &= session.has_records;
    // Whoever falls back is told what is wrong without records.
    if (is_trusted)
      session.verify_problem.clear();
    else if (!session.has_records && policy.is_dane_only)
      session.verify_problem =
          describe_verify_error(X509_V_ERR_UNSPECIFIED, TlsPeer::kServer, session.server);
  }
  if (policy.level == ClientTlsLevel::kFingerprint) {
    is_trusted = has_fingerprint(ssl, policy);
    session.verify_problem =
        is_trusted ? "" : describe_verify_error(X509_V_ERR_DANE_NO_MATCH, TlsPeer::kServer, session.server);
  }
  // Of a session that was made before, nothing is checked again.
  const bool is_old = SSL_session_reused(const_cast<SSL*>(ssl)) == 1;
  if (policy.checks_server() && !is_trusted && is_old && session.verify_problem.empty())
    session.verify_problem = concat(
        session.server, ": re-using session with untrusted certificate, look for details earlier in the log");
  if (policy.checks_server() && !is_trusted && !session.verify_problem.empty())
    log_info(session.log, session.verify_problem);
  if (log_level_ >= 1) {
    // A name that came from anywhere proves nothing.
    const bool is_proof =
        policy.checks_server() && (policy.level != ClientTlsLevel::kDane || policy.has_secure_name);
    const std::string_view trust = !has_certificate ? "Anonymous"
                                   : !is_trusted    ? "Untrusted"
                                   : is_proof       ? "Verified"
                                                    : "Trusted";
    log_info(session.log, concat(trust, " TLS connection established to ", session.server, ": ",
                                 tls_summary(read_client_tls_facts(ssl))));
  }
  const bool is_unchecked =
      policy.level == ClientTlsLevel::kDane && !session.has_records && !policy.is_dane_only;
  const bool is_accepted = is_trusted || is_unchecked || !policy.checks_server();
  // A ticket that comes now is of no more use.
  if (!is_accepted) session.resumable = nullptr;
  return is_accepted;
}

void ClientTls::log_failure(const ClientTlsSession& session, bool is_timeout) {
  const std::string_view reason = is_timeout                         ? "Connection timed out"
                                  : session.library_problems.empty() ? "lost connection"
                                                                     : "-1";
  log_info(session.log, concat("SSL_connect error to ", session.server, ": ", reason));
  for (const std::string& problem : session.library_problems) session.log.warn("tls-library", problem);
}

}  // namespace mta
