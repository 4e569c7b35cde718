#include "tools/mta/access/access_settings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "libconf/parameter_table.h"
#include "libconf/text.h"

namespace mta {
namespace {

template <class Value>
struct Row {
  std::string_view name;
  Value AccessSettings::*member;
};
using Code = Row<int>;
using Flag = Row<bool>;
using Text = Row<std::string>;

constexpr std::array kCodes = {
    Code{"access_map_defer_code", &AccessSettings::access_map_defer_code},
    Code{"access_map_reject_code", &AccessSettings::access_map_reject_code},
    Code{"defer_code", &AccessSettings::defer_code},
    Code{"invalid_hostname_reject_code", &AccessSettings::invalid_hostname_reject_code},
    Code{"maps_rbl_reject_code", &AccessSettings::maps_rbl_reject_code},
    Code{"multi_recipient_bounce_reject_code", &AccessSettings::multi_recipient_bounce_reject_code},
    Code{"non_fqdn_reject_code", &AccessSettings::non_fqdn_reject_code},
    Code{"plaintext_reject_code", &AccessSettings::plaintext_reject_code},
    Code{"reject_code", &AccessSettings::reject_code},
    Code{"relay_domains_reject_code", &AccessSettings::relay_domains_reject_code},
    Code{"unknown_address_reject_code", &AccessSettings::unknown_address_reject_code},
    Code{"unknown_client_reject_code", &AccessSettings::unknown_client_reject_code},
    Code{"unknown_hostname_reject_code", &AccessSettings::unknown_hostname_reject_code},
    Code{"unknown_local_recipient_reject_code", &AccessSettings::unknown_local_recipient_reject_code},
    Code{"unknown_relay_recipient_reject_code", &AccessSettings::unknown_relay_recipient_reject_code},
    Code{"unknown_virtual_alias_reject_code", &AccessSettings::unknown_virtual_alias_reject_code},
    Code{"unknown_virtual_mailbox_reject_code", &AccessSettings::unknown_virtual_mailbox_reject_code},
    Code{"unverified_recipient_defer_code", &AccessSettings::unverified_recipient_defer_code},
    Code{"unverified_recipient_reject_code", &AccessSettings::unverified_recipient_reject_code},
    Code{"unverified_sender_defer_code", &AccessSettings::unverified_sender_defer_code},
    Code{"unverified_sender_reject_code", &AccessSettings::unverified_sender_reject_code},
};

constexpr std::array kFlags = {
    Flag{"allow_untrusted_routing", &AccessSettings::allow_untrusted_routing},
    Flag{"show_user_unknown_table_name", &AccessSettings::show_user_unknown_table_name},
    Flag{"smtpd_client_port_logging", &AccessSettings::smtpd_client_port_logging},
    Flag{"smtpd_delay_reject", &AccessSettings::smtpd_delay_reject},
    Flag{"smtpd_reject_unlisted_recipient", &AccessSettings::smtpd_reject_unlisted_recipient},
    Flag{"smtpd_reject_unlisted_sender", &AccessSettings::smtpd_reject_unlisted_sender},
    Flag{"smtpd_relay_before_recipient_restrictions",
         &AccessSettings::smtpd_relay_before_recipient_restrictions},
    Flag{"smtpd_tls_ask_ccert", &AccessSettings::smtpd_tls_ask_ccert},
    Flag{"soft_bounce", &AccessSettings::soft_bounce},
};

constexpr std::array kTempfailActions = {
    Flag{"unknown_address_tempfail_action", &AccessSettings::unknown_address_tempfail_action},
    Flag{"unknown_helo_hostname_tempfail_action", &AccessSettings::unknown_helo_hostname_tempfail_action},
    Flag{"unverified_recipient_tempfail_action", &AccessSettings::unverified_recipient_tempfail_action},
    Flag{"unverified_sender_tempfail_action", &AccessSettings::unverified_sender_tempfail_action},
};

constexpr std::array kTexts = {
    Text{"default_rbl_reply", &AccessSettings::default_rbl_reply},
    Text{"smtpd_sasl_local_domain", &AccessSettings::smtpd_sasl_local_domain},
    Text{"unverified_recipient_reject_reason", &AccessSettings::unverified_recipient_reject_reason},
    Text{"unverified_sender_reject_reason", &AccessSettings::unverified_sender_reject_reason},
};

libconf::Result<bool> is_defer(std::string_view name, std::string_view value) {
  if (libconf::equals_ignoring_case(value, "defer")) return true;
  if (libconf::equals_ignoring_case(value, "defer_if_permit")) return false;
  return libconf::configuration_error(libconf::concat("bad configuration: ", name, " = ", value));
}

}  // namespace

libconf::Result<AccessSettings> AccessSettings::read(const libconf::Settings& settings) {
  AccessSettings read;
  for (const Code& row : kCodes) {
    const auto value = settings.get_int(row.name);
    if (!value) return value.error();
    read.*row.member = static_cast<int>(*value);
  }
  for (const Flag& row : kFlags) {
    const auto value = settings.get_bool(row.name);
    if (!value) return value.error();
    read.*row.member = *value;
  }
  for (const Flag& row : kTempfailActions) {
    const auto value = settings.get(row.name);
    if (!value) return value.error();
    const auto defers = is_defer(row.name, *value);
    if (!defers) return defers.error();
    read.*row.member = *defers;
  }
  for (const Text& row : kTexts) {
    if (libconf::is_raw(row.name)) {
      if (const auto setting = settings.find(row.name)) read.*row.member = setting->value;
      continue;
    }
    auto value = settings.get(row.name);
    if (!value) return value.error();
    read.*row.member = std::move(*value);
  }
  const auto polls = settings.get_int("address_verify_poll_count");
  if (!polls) return polls.error();
  const auto delay = settings.get_duration("address_verify_poll_delay");
  if (!delay) return delay.error();
  read.address_verify_patience = *delay * std::max<std::int64_t>(*polls - 1, 0);
  return read;
}

}  // namespace mta
