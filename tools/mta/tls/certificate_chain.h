/// Private keys and certificate chains, as PEM files and tls_server_sni_maps hold them (postconf(5),
/// smtpd_tls_chain_files; RFC 7468).
///
///     ChainReader chains(install_in(context), sink);
///     const bool is_loaded = chains.read("/etc/postfix/rsa.pem", bio) && chains.finish();
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tools/mta/tls/tls_library.h"

namespace mta {

/// Takes a key with its certificate and the chain of issuers; false: OpenSSL refused, and its error queue
/// says why.
using ChainInstaller = std::function<bool(X509* certificate, EVP_PKEY* key, STACK_OF(X509) * issuers)>;

/// Installs in a context that sessions will be made from, or in one session alone. A second chain of the same
/// algorithm is refused. The target must outlive the function.
ChainInstaller install_in(SSL_CTX* context);
ChainInstaller install_in(SSL* session);

/// In which order keys and certificates stand.
enum class ChainOrder {
  kKeyFirst,  ///< key, certificate, issuers, and again: smtpd_tls_chain_files.
  kAny,       ///< One key anywhere, certificate, issuers: smtpd_tls_cert_file and the like.
};

/// Reads sources that count as one text. Not thread-safe.
class ChainReader {
 public:
  /// The sink gets what is wrong, worded as Postfix words it.
  ChainReader(ChainOrder order, ChainInstaller install, DiagnosticSink& sink)
      : order_(order), install_(std::move(install)), sink_(sink) {}

  /// Reads the PEM objects of `bio`; `source` is its name in messages. Text between them is skipped, as are
  /// objects of other kinds, with a warning. False: the sink has the reason, and nothing more can be read.
  bool read(std::string_view source, BIO* bio);

  /// Installs the last chain. False, also, when there was none.
  bool finish();

 private:
  struct Object;
  bool take(const Object& object);
  bool take_key(const Object& object);
  bool take_certificate(const Object& object);
  bool install();
  bool fail(std::string message);

  ChainOrder order_;
  ChainInstaller install_;
  DiagnosticSink& sink_;
  std::string source_;  ///< The one that is, or was last, read.
  int index_ = 0;       ///< Of the object in its source, from 1.
  KeyHandle key_;
  std::string key_source_;
  int key_index_ = 0;
  CertificateHandle certificate_;
  CertificatesHandle issuers_;
  bool has_installed_ = false;
};

}  // namespace mta
