/// What a SMTP session knows when it asks for a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mta {

/// The command that is being answered.
enum class SmtpStage : std::uint8_t { kConnect, kHelo, kEhlo, kMail, kRcpt, kData, kEndOfData, kEtrn, kVrfy };

/// How a name was found for an address (postconf(5), reject_unknown_client_hostname).
enum class NameStatus : std::uint8_t { kFound, kNotFound, kTemporaryFailure };

struct ClientState {
  std::string address;  ///< "192.0.2.7", "2001:db8::7"
  std::string port = "0";
  /// Verified: it leads back to the address. "unknown" unless it was found.
  std::string name = "unknown";
  NameStatus name_status = NameStatus::kNotFound;
  /// What the address leads to, verified or not. "unknown" unless it was found.
  std::string reverse_name = "unknown";
  NameStatus reverse_name_status = NameStatus::kNotFound;
};

/// SASL; all empty while the client has not logged in.
struct SaslState {
  bool is_authenticated = false;
  std::string method = {};
  std::string username = {};
  std::string sender = {};  ///< AUTH= of the MAIL command (RFC 4954, 5).
};

struct TlsState {
  bool is_encrypted = false;
  std::string protocol = {};
  std::string cipher = {};
  int key_bits = 0;
  bool has_certificate = false;
  bool is_certificate_trusted = false;   ///< Its chain was verified.
  std::string certificate_subject = {};  ///< Its common name, whether it is trusted or not.
  std::string certificate_issuer = {};   ///< The same.
  std::string certificate_fingerprint = {};
  std::string public_key_fingerprint = {};
};

/// Plain data. Addresses are in their internal form, without quotes and brackets.
struct SmtpdState {
  SmtpStage stage = SmtpStage::kConnect;
  ClientState client = {};
  std::string server_address = {};
  std::string server_port = {};
  std::string protocol = "SMTP";           ///< Or "ESMTP".
  std::optional<std::string> helo = {};    ///< Nothing: not said yet.
  std::optional<std::string> sender = {};  ///< Nothing: no MAIL command yet. Empty: the null address.
  std::optional<std::string> recipient =
      {};                   ///< At kRcpt and kVrfy; at kData and kEndOfData if there is just one.
  int recipient_count = 0;  ///< Accepted so far.
  std::string etrn_domain = {};
  std::int64_t size = 0;  ///< Of the message in bytes: as announced, or as received at kEndOfData.
  std::string queue_id = {};
  std::string instance = {};  ///< The same for all questions about one message.
  bool has_unauthorized_pipelining = false;
  bool is_under_stress = false;
  bool is_held = false;  ///< An earlier command of this transaction did that already.
  bool is_discarded = false;
  SaslState sasl = {};
  TlsState tls = {};
};

}  // namespace mta
