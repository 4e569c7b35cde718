/// Why a certificate is not trusted, in the words of Postfix's log.
#pragma once

#include <openssl/x509_vfy.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace mta {

/// Whose certificate it is.
enum class TlsPeer : std::uint8_t { kClient, kServer };

/// For a callback of OpenSSL that was told of a problem. `name`: the peer's; `verify_depth`: how many
/// authorities there may be. Thread-safe.
std::string describe_verify_problem(X509_STORE_CTX* store, TlsPeer peer, std::string_view name,
                                    int verify_depth);

/// "server certificate verification failed for NAME: num=62:hostname mismatch"
std::string describe_verify_error(int error, TlsPeer peer, std::string_view name);

/// The subject or issuer of a certificate in one line, "/CN=mail.example.org".
std::string one_line(const X509_NAME* name);

}  // namespace mta
