/// What main.cf says of TLS in the SMTP server, as typed values (postconf(5): smtpd_tls_*, tls_*).
///
///     Result<TlsPolicy> policy = TlsPolicy::read(settings, sink);
///     if (policy->level == TlsLevel::kEncrypt) refuse_mail_in_plaintext();
///
/// All functions are thread-safe, as far as settings and sink are. Texts are worded as Postfix words them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/tls/tls_library.h"

namespace mta {

/// smtpd_tls_security_level.
enum class TlsLevel : std::uint8_t {
  kNone,
  kMay,      ///< STARTTLS is offered.
  kEncrypt,  ///< And mail is taken with TLS only.
};

/// smtpd_tls_security_level; where that is empty, the obsolete smtpd_enforce_tls and smtpd_use_tls. With
/// smtpd_tls_wrappermode it is kEncrypt. A level that only clients have is warned of, and kEncrypt. Errors:
/// kConfiguration, for an unknown level: the service cannot run; as Settings::get().
Result<TlsLevel> tls_level(const libconf::Settings& settings, DiagnosticSink& sink);

/// Which versions of the protocol are spoken.
struct TlsProtocols {
  int minimum = 0;            ///< As in the protocol, 0x0303; 0: no bound. OpenSSL need not know it.
  int maximum = 0;            ///< The same.
  std::uint64_t without = 0;  ///< SSL_OP_NO_*, for versions in between.
  friend bool operator==(const TlsProtocols&, const TlsProtocols&) = default;
};

/// Reads a list such as ">=TLSv1.2", "!SSLv2, !SSLv3", ">=0301" (smtpd_tls_protocols). Versions that are
/// listed without a sign exclude all others. Errors: kConfiguration.
Result<TlsProtocols> parse_tls_protocols(std::string_view list);

/// Ciphers that are taken out of a grade (smtpd_tls_exclude_ciphers), in the form that follows a cipher list:
/// ":!aNULL:!MD5+DES". Errors: kConfiguration, for an element that starts with a sign.
Result<std::string> parse_cipher_exclusions(std::string_view list);

/// The OpenSSL cipher list of a grade: "export", "low", "medium", "high", "null", in any case
/// (smtpd_tls_mandatory_ciphers). Postfix 3.12 has no ciphers of its own for the two lowest grades: where
/// their list is empty, they are "medium". Errors: kConfiguration, for an unknown grade.
Result<std::string> cipher_list_of_grade(std::string_view grade, const libconf::Settings& settings);

/// SSL_OP_* bits from tls_ssl_options: names, or a hexadecimal mask. Bits that other parameters control are
/// left out. Unknown values are warned of.
std::uint64_t parse_ssl_options(std::string_view list, DiagnosticSink& sink);

/// SSL_OP_* bits from tls_disable_workarounds: those that are to be off. Unknown values are warned of.
std::uint64_t parse_disabled_workarounds(std::string_view list, DiagnosticSink& sink);

/// smtpd_tls_loglevel: 0 to 4; a higher digit is 4, of several the highest counts. Anything else is warned
/// of; Postfix has undocumented words, too.
int parse_tls_log_level(std::string_view text, DiagnosticSink& sink);

/// Groups for key exchange that OpenSSL can do, as OpenSSL's list, "X25519:prime256v1:ffdhe2048"; others are
/// warned of (tls_eecdh_auto_curves, tls_ffdhe_auto_groups). Empty: OpenSSL's own list.
std::string usable_groups(std::string_view curves, std::string_view ffdhe_groups, DiagnosticSink& sink);

/// All that a server needs to know, but for the files with keys and certificates.
struct TlsPolicy {
  TlsLevel level = TlsLevel::kNone;
  bool is_wrapper = false;        ///< TLS begins with the connection, without STARTTLS.
  bool asks_certificate = false;  ///< smtpd_tls_ask_ccert, or implied.
  bool requires_certificate = false;
  int verify_depth = 0;
  int log_level = 0;
  bool adds_received_header = false;
  TlsProtocols protocols;
  std::string cipher_grade;                    ///< For messages.
  std::string cipher_list;                     ///< Exclusions included.
  std::uint64_t options = 0;                   ///< SSL_OP_*, without those in `protocols`.
  std::string groups;                          ///< See usable_groups().
  std::string dh_parameter_file;               ///< Empty: OpenSSL chooses.
  const EVP_MD* fingerprint_digest = nullptr;  ///< smtpd_tls_fingerprint_digest
  bool issues_session_ids = true;
  const EVP_CIPHER* ticket_cipher = nullptr;  ///< Null: no session tickets.
  std::chrono::seconds session_lifetime{0};   ///< Zero: no session is resumed.

  /// Errors: tls_level()'s; kConfiguration, for what makes TLS impossible; as Settings::get(). The sink gets
  /// what else is wrong. With TlsLevel::kNone nothing but the level is looked at.
  static Result<TlsPolicy> read(const libconf::Settings& settings, DiagnosticSink& sink);
};

}  // namespace mta
