/// What every part of TLS needs of OpenSSL: owners for its objects, and its errors as Postfix logs them.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

using libconf::DiagnosticSink;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using libconf::Severity;

/// Calls `free` for what a unique_ptr owns.
template <auto free>
struct OpenSslFree {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

struct FreeCertificates {
  void operator()(STACK_OF(X509) * certificates) const { sk_X509_pop_free(certificates, X509_free); }
};

using BioHandle = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;
using CertificateHandle = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using CertificatesHandle = std::unique_ptr<STACK_OF(X509), FreeCertificates>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using SslContextHandle = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;

/// Reads `bytes`, which must outlive the result.
BioHandle memory_bio(std::string_view bytes);

/// Empties the thread's error queue; one text for each error, "TLS library problem: error:0A000120:SSL
/// routines::private key mismatch:../ssl/ssl_rsa.c:983:". Thread-safe.
std::vector<std::string> take_library_problems();

/// The same, and leaves the queue as it was.
std::vector<std::string> library_problems();

/// Reports take_library_problems() as warnings.
void report_library_problems(DiagnosticSink& sink);

/// Starts the library with tls_config_file and tls_config_name (postconf(5)). The first call of the process
/// decides, and must come before any other use of OpenSSL. Errors: kConfiguration, worded as Postfix words
/// it; the sink has the reasons.
Result<void> start_tls_library(const libconf::Settings& settings, DiagnosticSink& sink);

}  // namespace mta
