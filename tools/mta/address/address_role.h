/// Where an address stands in a message, as canonical_classes and masquerade_classes name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

enum class AddressRole : std::uint8_t {
  kEnvelopeSender,
  kEnvelopeRecipient,
  kHeaderSender,
  kHeaderRecipient,
};

/// A set of roles.
class AddressRoles {
 public:
  constexpr AddressRoles() = default;
  constexpr bool has(AddressRole role) const { return (bits_ >> static_cast<int>(role) & 1) != 0; }
  constexpr void add(AddressRole role) { bits_ |= 1 << static_cast<int>(role); }

 private:
  int bits_ = 0;
};

/// The roles that a parameter such as canonical_classes lists. Errors: as Settings::get(); kConfiguration for
/// a word that is none, "unknown address class".
libconf::Result<AddressRoles> address_roles(std::string_view parameter, const libconf::Settings& settings);

/// The role of addresses in the header `name`, whose addresses Postfix rewrites; nothing when it leaves them
/// alone. The name is matched without regard to case. Pure; thread-safe.
std::optional<AddressRole> header_role(std::string_view name);

}  // namespace mta
