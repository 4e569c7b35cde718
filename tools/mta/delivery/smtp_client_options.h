/// What main.cf says about the SMTP and the LMTP client: smtp_* or lmtp_* of postconf(5).
///
///     Result<SmtpClientOptions> options = SmtpClientOptions::read(settings, ClientProtocol::kSmtp);
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "libconf/service_root.h"
#include "libconf/settings.h"
#include "libmaps/ip_address.h"
#include "tools/mta/content/mime_parser.h"
#include "tools/mta/smtp/server_options.h"

namespace mta {

/// Whoever listens there may be this system itself.
inline constexpr unsigned short kSmtpPort = 25;

enum class ClientProtocol : std::uint8_t { kSmtp, kLmtp };

/// smtp_address_preference
enum class AddressPreference : std::uint8_t { kAny, kIpv4, kIpv6 };

/// Where connections come from: smtp_bind_address, smtp_bind_address6.
struct LocalEnd {
  std::string ipv4 = {};  ///< Numbers; empty: the system chooses.
  std::string ipv6 = {};
  bool is_required = false;  ///< smtp_bind_address_enforce: rather wait than come from somewhere else.

  /// Where nothing else is said, the only address of a family that this system has (inet_interfaces) is used,
  /// unless it is loopback.
  void complete(std::span<const libmaps::IpAddress> interfaces);
};

struct SmtpClientOptions {
  ClientProtocol protocol = ClientProtocol::kSmtp;
  std::string syslog_name;
  std::string myhostname;
  libconf::ServiceRoot root;  ///< What paths of UNIX-domain sockets are taken from.
  std::string helo_name;
  std::string default_port;
  std::vector<std::string> fallback_relays;
  DiscardedKeywords discarded_keywords;  ///< smtp_discard_ehlo_keywords

  bool has_ipv4 = true;  ///< inet_protocols
  bool has_ipv6 = false;
  LocalEnd local_end;
  AddressPreference preference = AddressPreference::kAny;
  bool uses_dns = true;            ///< smtp_dns_support_level, disable_dns_lookups
  bool uses_dnssec = false;        ///< smtp_dns_support_level
  std::string dnssec_probe;        ///< Empty: none.
  std::string insecure_mx_policy;  ///< smtp_tls_dane_insecure_mx_policy
  bool asks_dns = true;            ///< smtp_host_lookup
  bool asks_native = false;
  bool randomizes = true;
  bool ignores_mx_error = false;      ///< ignore_mx_lookup_error
  bool defers_without_mx = false;     ///< smtp_defer_if_no_mx_address_found
  std::size_t address_limit = 0;      ///< smtp_mx_address_limit; 0: none.
  std::size_t session_limit = 0;      ///< The same for smtp_mx_session_limit.
  std::size_t line_length_limit = 0;  ///< The same for smtp_line_length_limit.
  MimeOptions mime;                   ///< How content is taken apart that is changed.
  bool converts_8bit = true;          ///< disable_mime_output_conversion: not.

  bool always_ehlo = true;
  bool never_ehlo = false;
  bool skips_5xx_greeting = true;
  bool skips_quit_response = true;
  bool quotes_envelope = true;
  bool sends_xforward = false;
  bool probes_data = false;            ///< smtp_address_verify_target
  bool keeps_on_demand = true;         ///< smtp_connection_cache_on_demand
  bool keeps_tls_connections = false;  ///< smtp_tls_connection_reuse
  std::size_t reuse_limit = 0;         ///< smtp_connection_reuse_count_limit; 0: none.
  bool uses_tls_wrapper = false;       ///< smtp_tls_wrappermode
  bool notes_starttls_offer = false;   ///< smtp_tls_note_starttls_offer

  std::chrono::seconds connect_timeout{0};  ///< 0: the system's.
  std::chrono::seconds helo_timeout{0};
  std::chrono::seconds xforward_timeout{0};
  std::chrono::seconds mail_timeout{0};
  std::chrono::seconds rcpt_timeout{0};
  std::chrono::seconds data_init_timeout{0};
  std::chrono::seconds data_xfer_timeout{0};
  std::chrono::seconds data_done_timeout{0};
  std::chrono::seconds rset_timeout{0};
  std::chrono::seconds quit_timeout{0};
  std::chrono::seconds starttls_timeout{0};
  std::chrono::seconds cache_time_limit{0};  ///< smtp_connection_cache_time_limit
  std::chrono::seconds reuse_time_limit{0};  ///< smtp_connection_reuse_time_limit
  std::chrono::seconds minimal_backoff{0};   ///< How old mail is before TLS is given up for it.

  bool is_lmtp() const { return protocol == ClientProtocol::kLmtp; }

  /// Errors: those of the settings, with the parameter's name.
  static libconf::Result<SmtpClientOptions> read(const libconf::Settings& settings, ClientProtocol protocol);
};

}  // namespace mta
