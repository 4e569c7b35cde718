#include "tools/mta/address/mapped_addresses.h"

#include <algorithm>
#include <utility>

#include "tools/mta/address/header_address.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

using libconf::Result;

/// `address` with `extension` behind its user.
std::string with_extension(std::string_view address, std::string_view extension) {
  std::string internal = unquote_address(address);
  internal.insert(std::min(internal.rfind('@'), internal.size()), extension);
  return quote_address(internal);
}

}  // namespace

Result<AddressMapping> AddressMapping::from(std::string_view parameter, libmaps::LookupKind kind,
                                            std::string_view feature, const AddressContext& context,
                                            const AddressRewriting& rewriting,
                                            std::shared_ptr<LocalDomains> domains) {
  auto lookup = open_lookup(parameter, kind, context, is_site_of(std::move(domains)));
  if (!lookup) return lookup.error();
  AddressMapping mapping(std::string(parameter), std::move(*lookup), rewriting);
  const auto propagated = context.settings().get_list("propagate_unmatched_extensions");
  if (!propagated) return propagated.error();
  mapping.propagates_extension_ =
      std::find(propagated->begin(), propagated->end(), feature) != propagated->end();
  return mapping;
}

Result<std::optional<std::vector<std::string>>> AddressMapping::find(std::string_view address) {
  auto match = lookup_.find(address);
  if (!match) return match.error();
  if (!*match) return std::nullopt;
  const libmaps::LookupKey& key = (*match)->key;
  std::vector<std::string> addresses =
      header_addresses(libmaps::with_user_kept((*match)->value, address, key), kUnlimitedTokens);
  // Who keeps the user by a key "@domain" keeps the extension with it.
  for (std::string& each : addresses) {
    each = rewriting_.rewrite(RewriteContext::kLocal, each);
    if (propagates_extension_ && !key.extension.empty() && !each.empty())
      each = with_extension(each, key.extension);
  }
  return addresses;
}

}  // namespace mta
