#include "tools/mta/smtp/server_tls.h"

#include <openssl/ssl.h>

namespace mta {

Result<std::unique_ptr<ServerTls>> ServerTls::create(const libconf::Settings& settings,
                                                     DiagnosticSink& sink) {
  libconf::DiagnosticDiscard said_later;  // By TlsPolicy::read().
  const Result<TlsLevel> level = tls_level(settings, said_later);
  if (!level) return level.error();
  const Result<bool> is_wrapper = settings.get_bool("smtpd_tls_wrappermode");
  if (!is_wrapper) return is_wrapper.error();
  const Result<std::chrono::seconds> time_limit = settings.get_duration("smtpd_starttls_timeout");
  if (!time_limit) return time_limit.error();
  std::unique_ptr<ServerTls> tls(new ServerTls);
  tls->level_ = *level;
  tls->is_wrapper_ = *is_wrapper;
  tls->time_limit_ = *time_limit;
  if (tls->level_ == TlsLevel::kNone) return tls;
  if (const Result<void> loaded = tls->load(settings, sink); !loaded)
    sink.warn("tls-unavailable", loaded.error().message);
  return tls;
}

Result<void> ServerTls::load(const libconf::Settings& settings, DiagnosticSink& sink) {
  if (Result<void> started = start_tls_library(settings, sink); !started) return started;
  const Result<TlsPolicy> policy = TlsPolicy::read(settings, sink);
  if (!policy) return policy.error();
  Result<std::shared_ptr<TlsServerContext>> context = TlsServerContext::load(*policy, settings, sink);
  if (!context) return context.error();
  SSL_CTX_up_ref((*context)->native());
  asio_context_.emplace((*context)->native());
  context_ = std::move(*context);
  return {};
}

TlsState tls_state(const TlsFacts& facts) {
  return {.is_encrypted = true,
          .protocol = facts.protocol,
          .cipher = facts.cipher,
          .key_bits = facts.cipher_bits,
          .has_certificate = facts.has_certificate,
          .is_certificate_trusted = facts.is_trusted,
          .certificate_subject = facts.subject_cn,
          .certificate_issuer = facts.issuer_cn,
          .certificate_fingerprint = facts.certificate_fingerprint,
          .public_key_fingerprint = facts.public_key_fingerprint};
}

}  // namespace mta
