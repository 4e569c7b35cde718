#include "tools/mta/tls/verify_problem.h"

#include <openssl/x509.h>

#include <array>

#include "libconf/text.h"

namespace mta {

using libconf::concat;

std::string one_line(const X509_NAME* name) {
  std::array<char, 1024> text{};
  return name == nullptr ? "" : X509_NAME_oneline(name, text.data(), text.size());
}

std::string describe_verify_error(int error, TlsPeer peer, std::string_view name) {
  const std::string_view reason = X509_verify_cert_error_string(error);
  if (peer == TlsPeer::kClient || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
    return concat("certificate verification failed for ", name, ": ", reason);
  return concat("server certificate verification failed for ", name, ": num=", std::to_string(error), ":",
                reason);
}

std::string describe_verify_problem(X509_STORE_CTX* store, TlsPeer peer, std::string_view name,
                                    int verify_depth) {
  const int error = X509_STORE_CTX_get_error(store);
  const bool is_authority = X509_STORE_CTX_get_error_depth(store) > 0;
  const std::string_view who = is_authority ? "CA" : peer == TlsPeer::kClient ? "client" : "server";
  const std::string failed = concat("certificate verification failed for ", name, ": ");
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return concat(failed, "untrusted issuer ",
                    one_line(X509_get_issuer_name(X509_STORE_CTX_get_current_cert(store))));
    case X509_V_ERR_INVALID_PURPOSE:
      return concat(failed, "not designated for use as a ", who, " certificate");
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return concat(failed, "certificate chain longer than limit(", std::to_string(verify_depth + 1), ")");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return concat(who, " ", failed, "certificate not yet valid");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return concat(who, " ", failed, "certificate has expired");
    default:
      if (!is_authority) return describe_verify_error(error, peer, name);
      return concat(who, " ", failed, "num=", std::to_string(error), ":",
                    X509_verify_cert_error_string(error));
  }
}

}  // namespace mta
