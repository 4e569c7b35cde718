#include "tools/mta/address/address_role.h"

#include <array>
#include <span>
#include <string>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;
using enum AddressRole;

struct Named {
  std::string_view name;
  AddressRole role;
};

constexpr std::array kRoles = {
    Named{"envelope_recipient", kEnvelopeRecipient},
    Named{"envelope_sender", kEnvelopeSender},
    Named{"header_recipient", kHeaderRecipient},
    Named{"header_sender", kHeaderSender},
};

/// As a stock Postfix treats them.
constexpr std::array kHeaders = {
    Named{"apparently-to", kHeaderRecipient},
    Named{"bcc", kHeaderRecipient},
    Named{"cc", kHeaderRecipient},
    Named{"disposition-notification-to", kHeaderSender},
    Named{"errors-to", kHeaderSender},
    Named{"from", kHeaderSender},
    Named{"mail-followup-to", kHeaderSender},
    Named{"reply-to", kHeaderSender},
    Named{"resent-bcc", kHeaderRecipient},
    Named{"resent-cc", kHeaderRecipient},
    Named{"resent-from", kHeaderSender},
    Named{"resent-reply-to", kHeaderRecipient},
    Named{"resent-sender", kHeaderSender},
    Named{"resent-to", kHeaderRecipient},
    Named{"return-receipt-to", kHeaderSender},
    Named{"sender", kHeaderSender},
    Named{"to", kHeaderRecipient},
};

std::optional<AddressRole> find(std::span<const Named> entries, std::string_view name) {
  for (const Named& entry : entries)
    if (equals_ignoring_case(entry.name, name)) return entry.role;
  return std::nullopt;
}

}  // namespace

Result<AddressRoles> address_roles(std::string_view parameter, const libconf::Settings& settings) {
  const auto words = settings.get_list(parameter);
  if (!words) return words.error();
  AddressRoles roles;
  for (const std::string& word : *words) {
    const std::optional<AddressRole> role = find(kRoles, word);
    if (!role) return libconf::configuration_error(concat("unknown ", parameter, " value \"", word, "\""));
    roles.add(*role);
  }
  return roles;
}

std::optional<AddressRole> header_role(std::string_view name) { return find(kHeaders, name); }

}  // namespace mta
