/// What main.cf and master.cf say about the SMTP server's side of the protocol.
///
///     libconf::Result<mta::ServerOptions> options = mta::read_server_options(settings);
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/smtp/line_reader.h"

namespace mta {

/// The keywords of an answer to EHLO that smtpd_discard_ehlo_keywords can name.
enum class EhloKeyword : unsigned {
  kPipelining = 1U << 0,
  kSize = 1U << 1,
  kVrfy = 1U << 2,
  kEtrn = 1U << 3,
  kStarttls = 1U << 4,
  kAuth = 1U << 5,
  kXclient = 1U << 6,
  kXforward = 1U << 7,
  kEnhancedStatusCodes = 1U << 8,
  k8BitMime = 1U << 9,
  kDsn = 1U << 10,
  kSmtputf8 = 1U << 11,
  kChunking = 1U << 12,
};

/// Keywords that are kept from a client.
class DiscardedKeywords {
 public:
  /// Reads a value of smtpd_discard_ehlo_keywords or what smtpd_discard_ehlo_keyword_address_maps found:
  /// words in any case of letters. Unknown ones count for nothing.
  static DiscardedKeywords parse(std::string_view list);

  bool has(EhloKeyword keyword) const { return (bits_ & static_cast<unsigned>(keyword)) != 0; }

  /// `silent-discard`: the log does not tell.
  bool is_silent() const { return is_silent_; }

  /// Their names, "DSN CHUNKING", in the order in which Postfix logs them.
  std::string to_string() const;

 private:
  unsigned bits_ = 0;
  bool is_silent_ = false;
};

/// The parameters, by the names that postconf(5) gives them. Sizes are in bytes.
struct ServerOptions {
  std::string myhostname;
  std::string smtpd_banner;
  std::uint64_t message_size_limit = 0;
  std::size_t line_length_limit = 0;
  bool strict_rfc821_envelopes = false;
  bool allow_min_user = false;
  bool smtpd_helo_required = false;
  bool smtputf8_enable = false;
  bool strict_smtputf8 = false;
  bool disable_vrfy_command = false;
  bool broken_sasl_auth_clients = false;
  bool smtpd_client_port_logging = false;
  bool smtpd_delay_open_until_valid_rcpt = true;
  bool smtpd_hide_client_session = false;
  bool smtpd_forbid_unauth_pipelining = false;
  BareNewline smtpd_forbid_bare_newline = BareNewline::kNormalize;
  int smtpd_forbid_bare_newline_reject_code = 0;
  std::string default_verp_delimiters;
  std::string verp_delimiter_filter;
  std::string flush_service_name;
  std::chrono::seconds ipc_timeout{0};
  bool has_ipv4 = true;  ///< inet_protocols: which addresses XCLIENT and XFORWARD take.
  bool has_ipv6 = true;
};

/// Error: a value that a parameter cannot have.
libconf::Result<ServerOptions> read_server_options(const libconf::Settings& settings);

}  // namespace mta
