/// Keys and certificates that a test makes for itself, with OpenSSL.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>

#include "tools/mta/tls/tls_library.h"

namespace postkit_test {

/// A key and its certificate.
struct Identity {
  mta::KeyHandle key;
  mta::CertificateHandle certificate;
};

inline mta::KeyHandle make_rsa_key() { return mta::KeyHandle(EVP_RSA_gen(2048)); }
inline mta::KeyHandle make_ec_key(const char* curve = "P-256") { return mta::KeyHandle(EVP_EC_gen(curve)); }
inline mta::KeyHandle make_ed25519_key() {
  return mta::KeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

/// What is to be in a certificate. Times are seconds from now.
struct CertificateWish {
  std::string common_name = {};
  std::string organization = {};
  bool is_authority = false;
  long valid_from = -3600;
  long valid_until = 86400;
  const char* extended_key_usage = nullptr;
};

inline void add_name(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return;
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

inline void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Null `issuer`: the certificate signs itself.
inline Identity make_identity(mta::KeyHandle key, const CertificateWish& wish,
                              const Identity* issuer = nullptr) {
  static long serial = 0;
  mta::CertificateHandle certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.valid_until);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  add_name(name, "O", wish.organization);
  add_name(name, "CN", wish.common_name);
  X509_set_issuer_name(certificate.get(),
                       issuer != nullptr ? X509_get_subject_name(issuer->certificate.get()) : name);
  X509_set_pubkey(certificate.get(), key.get());
  if (wish.is_authority) add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  if (wish.extended_key_usage != nullptr)
    add_extension(certificate.get(), NID_ext_key_usage, wish.extended_key_usage);
  EVP_PKEY* signer = issuer != nullptr ? issuer->key.get() : key.get();
  const bool needs_digest = EVP_PKEY_get_base_id(signer) != EVP_PKEY_ED25519;
  if (X509_sign(certificate.get(), signer, needs_digest ? EVP_sha256() : nullptr) == 0)
    throw std::runtime_error("X509_sign failed");
  return {std::move(key), std::move(certificate)};
}

inline std::string bytes_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

inline std::string key_pem(const EVP_PKEY* key) {
  const mta::BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return bytes_of(bio.get());
}

inline std::string certificate_pem(X509* certificate) {
  const mta::BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return bytes_of(bio.get());
}

/// Key, then certificate: what smtpd_tls_chain_files wants.
inline std::string chain_pem(const Identity& identity) {
  return key_pem(identity.key.get()) + certificate_pem(identity.certificate.get());
}

/// Identities that several tests share: making RSA keys takes a while.
struct Identities {
  Identity authority = make_identity(
      make_rsa_key(), {.common_name = "Test CA", .organization = "Example", .is_authority = true});
  Identity rsa = make_identity(make_rsa_key(), {.common_name = "mail.example.org"}, &authority);
  Identity other_rsa = make_identity(make_rsa_key(), {.common_name = "other.example.org"}, &authority);
  Identity ec = make_identity(make_ec_key(), {.common_name = "mail.example.org"}, &authority);
  Identity client = make_identity(make_rsa_key(), {.common_name = "client.example.org"}, &authority);
  Identity self_signed = make_identity(make_rsa_key(), {.common_name = "self signed"});

  static const Identities& get() {
    static const Identities identities;
    return identities;
  }
};

}  // namespace postkit_test
