/// The settings of the restriction engine, read once.
#pragma once

#include <chrono>
#include <string>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

/// Named as the parameters are. Codes are SMTP reply codes.
struct AccessSettings {
  int access_map_defer_code = 0;
  int access_map_reject_code = 0;
  int defer_code = 0;
  int invalid_hostname_reject_code = 0;
  int maps_rbl_reject_code = 0;
  int multi_recipient_bounce_reject_code = 0;
  int non_fqdn_reject_code = 0;
  int plaintext_reject_code = 0;
  int reject_code = 0;
  int relay_domains_reject_code = 0;
  int unknown_address_reject_code = 0;
  int unknown_client_reject_code = 0;
  int unknown_hostname_reject_code = 0;
  int unknown_local_recipient_reject_code = 0;
  int unknown_relay_recipient_reject_code = 0;
  int unknown_virtual_alias_reject_code = 0;
  int unknown_virtual_mailbox_reject_code = 0;
  int unverified_recipient_defer_code = 0;
  int unverified_recipient_reject_code = 0;
  int unverified_sender_defer_code = 0;
  int unverified_sender_reject_code = 0;
  // True: "defer"; false: "defer_if_permit".
  bool unknown_address_tempfail_action = false;
  bool unknown_helo_hostname_tempfail_action = false;
  bool unverified_recipient_tempfail_action = false;
  bool unverified_sender_tempfail_action = false;
  bool allow_untrusted_routing = false;
  bool show_user_unknown_table_name = false;
  bool smtpd_client_port_logging = false;
  bool smtpd_delay_reject = false;
  bool smtpd_reject_unlisted_recipient = false;
  bool smtpd_reject_unlisted_sender = false;
  bool smtpd_relay_before_recipient_restrictions = false;
  bool smtpd_tls_ask_ccert = false;
  bool soft_bounce = false;
  /// How long address_verify_poll_count looks take, address_verify_poll_delay apart.
  std::chrono::seconds address_verify_patience{0};
  std::string default_rbl_reply = {};
  std::string smtpd_sasl_local_domain = {};
  std::string unverified_recipient_reject_reason = {};
  std::string unverified_sender_reject_reason = {};

  /// Errors: as Settings::get_int() and its kin; kConfiguration, "bad configuration: NAME = VALUE".
  static libconf::Result<AccessSettings> read(const libconf::Settings& settings);
};

}  // namespace mta
