#include "tools/mta/tls/certificate_chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

enum class ObjectKind { kKey, kCertificate, kOther };

struct ObjectLabel {
  std::string_view label;
  ObjectKind kind;
};

constexpr std::array kLabels = {
    ObjectLabel{PEM_STRING_PKCS8INF, ObjectKind::kKey},
    ObjectLabel{PEM_STRING_RSA, ObjectKind::kKey},
    ObjectLabel{PEM_STRING_ECPRIVATEKEY, ObjectKind::kKey},
    ObjectLabel{PEM_STRING_DSA, ObjectKind::kKey},
    ObjectLabel{PEM_STRING_X509, ObjectKind::kCertificate},
    ObjectLabel{PEM_STRING_X509_OLD, ObjectKind::kCertificate},
};

ObjectKind kind_of(std::string_view label) {
  for (const ObjectLabel& known : kLabels) {
    if (known.label == label) return known.kind;
  }
  return ObjectKind::kOther;
}

struct OpenSslBuffer {
  ~OpenSslBuffer() { OPENSSL_free(data); }
  void* data;
};

using Pkcs8Handle = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpenSslFree<PKCS8_PRIV_KEY_INFO_free>>;

/// Null: it is no key, or an encrypted one.
KeyHandle parse_key(std::string_view label, const unsigned char* der, long size) {
  if (label != PEM_STRING_PKCS8INF) return KeyHandle(d2i_AutoPrivateKey(nullptr, &der, size));
  const Pkcs8Handle pkcs8(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &der, size));
  return KeyHandle(pkcs8 == nullptr ? nullptr : EVP_PKCS82PKEY(pkcs8.get()));
}

}  // namespace

struct ChainReader::Object {
  std::string_view label;
  const unsigned char* der;
  long size;
};

ChainInstaller install_in(SSL_CTX* context) {
  return [context](X509* certificate, EVP_PKEY* key, STACK_OF(X509) * issuers) {
    return SSL_CTX_use_cert_and_key(context, certificate, key, issuers, 0) == 1;
  };
}

ChainInstaller install_in(SSL* session) {
  return [session](X509* certificate, EVP_PKEY* key, STACK_OF(X509) * issuers) {
    return SSL_use_cert_and_key(session, certificate, key, issuers, 0) == 1;
  };
}

bool ChainReader::fail(std::string message) {
  sink_.warn("tls-chain", std::move(message));
  report_library_problems(sink_);
  return false;
}

bool ChainReader::read(std::string_view source, BIO* bio) {
  source_ = source;
  index_ = 0;
  ERR_clear_error();
  while (true) {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* der = nullptr;
    long size = 0;
    const bool is_read = PEM_read_bio(bio, &label, &header, &der, &size) == 1;
    const OpenSslBuffer owners[] = {{label}, {header}, {der}};
    if (!is_read) break;
    ++index_;
    if (!take({.label = label, .der = der, .size = size})) return false;
  }
  // The end is an error, too.
  if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
    ERR_clear_error();
    return true;
  }
  // Of some damage OpenSSL says nothing.
  if (ERR_peek_error() == 0)
    return fail(concat("error loading chain from ", source_, ": damaged PEM data behind object number ",
                       std::to_string(index_)));
  report_library_problems(sink_);
  return false;
}

bool ChainReader::take(const Object& object) {
  switch (kind_of(object.label)) {
    case ObjectKind::kKey:
      return take_key(object);
    case ObjectKind::kCertificate:
      return take_certificate(object);
    case ObjectKind::kOther:
      break;
  }
  sink_.warn("tls-chain", concat("loading ", source_, ": ignoring PEM type: ", object.label));
  return true;
}

bool ChainReader::take_key(const Object& object) {
  KeyHandle key = parse_key(object.label, object.der, object.size);
  if (key == nullptr)
    return fail(
        concat("error loading private key (PEM object number ", std::to_string(index_), ") from ", source_));
  if (key_ != nullptr && order_ == ChainOrder::kAny) {
    sink_.warn("tls-chain", concat("ignoring 2nd key at index ", std::to_string(index_), " in ", source_,
                                   " after 1st at ", std::to_string(key_index_)));
    return true;
  }
  if (key_ != nullptr && certificate_ == nullptr)
    return fail(concat("error loading certificate chain: key at index ", std::to_string(key_index_), " in ",
                       key_source_, " not followed by a certificate"));
  if (key_ != nullptr && !install()) return false;
  key_ = std::move(key);
  key_source_ = source_;
  key_index_ = index_;
  return true;
}

bool ChainReader::take_certificate(const Object& object) {
  const unsigned char* der = object.der;
  CertificateHandle certificate(d2i_X509(nullptr, &der, object.size));
  if (certificate == nullptr)
    return fail(
        concat("error loading certificate (PEM object number ", std::to_string(index_), ") from ", source_));
  if (key_ == nullptr && order_ == ChainOrder::kKeyFirst)
    return fail(concat("error loading chain from ", source_, ": key not first"));
  if (certificate_ == nullptr) {
    certificate_ = std::move(certificate);
    return true;
  }
  if (issuers_ == nullptr) issuers_.reset(sk_X509_new_null());
  if (issuers_ == nullptr || sk_X509_push(issuers_.get(), certificate.get()) == 0)
    return fail(concat("error loading chain from ", source_));
  certificate.release();
  return true;
}

bool ChainReader::install() {
  if (!install_(certificate_.get(), key_.get(), issuers_.get()))
    return fail(concat("key at index ", std::to_string(key_index_), " in ", key_source_,
                       " does not match next certificate"));
  key_.reset();
  certificate_.reset();
  issuers_.reset();
  has_installed_ = true;
  return true;
}

bool ChainReader::finish() {
  if (key_ == nullptr && certificate_ != nullptr) return fail(concat("No private key found in ", source_));
  if (key_ == nullptr) return has_installed_ || fail(concat("No PEM data in ", source_));
  if (certificate_ == nullptr)
    return fail(concat("No certs for key at index ", std::to_string(key_index_), " in ", key_source_));
  return install();
}

}  // namespace mta
