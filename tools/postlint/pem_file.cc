#include "tools/postlint/pem_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>

#include "libconf/file.h"

namespace postlint {
namespace {

struct OpenSslBuffer {
  ~OpenSslBuffer() { OPENSSL_free(data); }
  void* data;
};

using Pkcs8Handle = std::unique_ptr<PKCS8_PRIV_KEY_INFO, mta::OpenSslFree<PKCS8_PRIV_KEY_INFO_free>>;

bool is_key(std::string_view label) { return label.ends_with("PRIVATE KEY"); }

mta::KeyHandle parse_key(std::string_view label, const unsigned char* der, long size) {
  if (label != PEM_STRING_PKCS8INF) return mta::KeyHandle(d2i_AutoPrivateKey(nullptr, &der, size));
  const Pkcs8Handle pkcs8(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &der, size));
  return mta::KeyHandle(pkcs8 == nullptr ? nullptr : EVP_PKCS82PKEY(pkcs8.get()));
}

void take_object(std::string_view label, std::string_view header, const unsigned char* der, long size,
                 PemFile& file) {
  if (label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD || label == PEM_STRING_X509_TRUSTED) {
    mta::CertificateHandle certificate(d2i_X509(nullptr, &der, size));
    if (certificate == nullptr)
      file.problem = "a certificate is damaged";
    else
      file.certificates.push_back(std::move(certificate));
  } else if (is_key(label)) {
    if (label == PEM_STRING_PKCS8 || header.find("ENCRYPTED") != std::string_view::npos) {
      file.has_encrypted_key = true;
    } else if (file.key == nullptr) {
      file.key = parse_key(label, der, size);
      if (file.key == nullptr) file.problem = "the private key is damaged";
    }
  }
}

}  // namespace

PemFile parse_pem(std::string_view text) {
  PemFile file{.is_readable = true};
  const mta::BioHandle bio = mta::memory_bio(text);
  ERR_clear_error();
  while (true) {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* der = nullptr;
    long size = 0;
    const bool is_read = PEM_read_bio(bio.get(), &label, &header, &der, &size) == 1;
    const OpenSslBuffer owners[] = {{label}, {header}, {der}};
    if (!is_read) break;
    take_object(label, header, der, size, file);
  }
  // The end is an error, too.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) file.problem = "its PEM text is damaged";
  ERR_clear_error();
  return file;
}

PemFile read_pem(const std::string& path) {
  const libconf::Result<std::string> text = libconf::read_file(path);
  return text ? parse_pem(*text) : PemFile{};
}

int days_left(const X509* certificate) {
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return 0;
  return days == 0 && seconds < 0 ? -1 : days;
}

bool is_not_yet_valid(const X509* certificate) {
  return X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0;
}

std::string end_date(const X509* certificate) {
  std::tm time{};
  std::array<char, 16> text{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return "an unknown date";
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &time);
  return text.data();
}

}  // namespace postlint
