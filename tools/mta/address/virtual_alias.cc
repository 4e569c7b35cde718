#include "tools/mta/address/virtual_alias.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

/// Of an address in a message about it.
constexpr std::size_t kShownLength = 300;

}  // namespace

Result<VirtualAliases> VirtualAliases::from(const AddressContext& context, const AddressRewriting& rewriting,
                                            const std::shared_ptr<LocalDomains>& domains) {
  auto mapping = AddressMapping::from("virtual_alias_maps", libmaps::LookupKind::kVirtual, "virtual", context,
                                      rewriting, domains);
  if (!mapping) return mapping.error();
  Limits limits;
  for (const auto& [name, limit] : {std::pair("virtual_alias_recursion_limit", &limits.recursion),
                                    std::pair("virtual_alias_expansion_limit", &limits.expansion),
                                    std::pair("virtual_alias_address_length_limit", &limits.length)}) {
    const auto value = context.settings().get_int(name);
    if (!value) return value.error();
    *limit = static_cast<std::size_t>(*value);
  }
  return VirtualAliases(std::move(*mapping), limits);
}

Result<std::vector<EnvelopeRecipient>> VirtualAliases::expand(const EnvelopeRecipient& recipient) {
  std::vector<std::string> addresses = {recipient.address};
  for (std::size_t i = 0; i < addresses.size(); ++i)
    if (Result<void> done = follow(i, recipient, addresses); !done) return done.error();
  std::vector<EnvelopeRecipient> recipients;
  for (std::string& address : addresses) {
    EnvelopeRecipient& each = recipients.emplace_back(recipient);
    each.address = std::move(address);
  }
  return recipients;
}

/// Replaces an address by the first that it is an alias for, until that is no alias; the others go to the
/// end.
Result<void> VirtualAliases::follow(std::size_t index, const EnvelopeRecipient& recipient,
                                    std::vector<std::string>& addresses) {
  for (std::size_t count = 0;; ++count) {
    if (count >= limits_.recursion) return unreasonable("map nesting for ", recipient.address);
    auto found = mapping_.find(addresses[index]);
    if (!found) return found.error();
    if (!*found || (*found)->empty()) return {};
    std::vector<std::string>& targets = **found;
    for (const std::string& target : targets)
      if (target.size() > limits_.length) return unreasonable("result ", target);
    if (addresses.size() - 1 + targets.size() > limits_.expansion)
      return unreasonable("map expansion size for ", recipient.address);
    const bool is_itself = targets.front() == addresses[index];
    addresses[index] = std::move(targets.front());
    std::move(std::next(targets.begin()), targets.end(), std::back_inserter(addresses));
    if (is_itself) return {};
  }
}

Error VirtualAliases::unreasonable(std::string_view what, std::string_view address) const {
  const std::string_view shown = address.substr(0, kShownLength);
  return libconf::configuration_error(concat("unreasonable ", mapping_.parameter(), " ", what, shown,
                                             shown.size() < address.size() ? "..." : ""));
}

}  // namespace mta
