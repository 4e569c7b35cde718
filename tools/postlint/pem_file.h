/// A file with certificates and a private key (RFC 7468), read without asking for a passphrase.
///
///     PemFile file = read_pem("/etc/ssl/mail.pem");
///     if (!file.certificates.empty()) check(file.certificates.front().get());
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/tls/tls_library.h"

namespace postlint {

struct PemFile {
  bool is_readable = false;  ///< Whoever runs this may read it.
  std::vector<mta::CertificateHandle> certificates = {};
  mta::KeyHandle key = {};
  bool has_encrypted_key = false;
  std::string problem = {};  ///< Why objects of the file are missing; empty: none is.
};

/// Thread-safe.
PemFile read_pem(const std::string& path);
PemFile parse_pem(std::string_view text);

/// Days until the certificate ends; negative: it has ended.
int days_left(const X509* certificate);
bool is_not_yet_valid(const X509* certificate);

/// "2027-01-31".
std::string end_date(const X509* certificate);

}  // namespace postlint
