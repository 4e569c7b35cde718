#include "tools/mta/delivery/generic_addresses.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/content/cleanup_headers.h"

namespace mta {

using libconf::concat;
using libconf::Result;

Result<std::unique_ptr<GenericAddresses>> GenericAddresses::open(std::string_view protocol,
                                                                 const AddressContext& context,
                                                                 std::shared_ptr<LocalDomains> domains) {
  const std::string parameter = concat(protocol, "generic_maps");
  const Result<std::string> maps = context.settings().get(parameter);
  if (!maps) return maps.error();
  if (maps->empty()) return std::unique_ptr<GenericAddresses>();
  const Result<AddressRewriting> rewriting = AddressRewriting::from(context.settings());
  if (!rewriting) return rewriting.error();
  Result<AddressMapping> mapping = AddressMapping::from(parameter, libmaps::LookupKind::kGeneric, "generic",
                                                        context, *rewriting, std::move(domains));
  if (!mapping) return mapping.error();
  const Result<std::int64_t> token_limit = context.settings().get_int("header_address_token_limit");
  if (!token_limit) return token_limit.error();
  return std::unique_ptr<GenericAddresses>(new GenericAddresses(
      std::move(*mapping), static_cast<std::size_t>(std::max<std::int64_t>(*token_limit, 0)),
      context.tables.warnings));
}

Result<std::string> GenericAddresses::map(std::string_view address) {
  if (address.empty()) return std::string();
  const auto found = mapping_.find(address);
  if (!found) return found.error();
  if (!*found || (*found)->empty()) return std::string(address);
  if ((*found)->size() > 1)
    warnings_.warn("multi-valued", concat("multi-valued ", mapping_.parameter(), " entry for ", address));
  return (*found)->front();
}

Result<void> GenericAddresses::rewrite_header(std::string& header) {
  const std::size_t colon = std::min(header.find(':'), header.size());
  const std::string name(libconf::trim(std::string_view(header).substr(0, colon)));
  if (colon == header.size() || !CleanupHeaders::role_of(name)) return {};
  const Result<std::optional<std::string>> rewritten =
      rewrite_header_addresses(name, std::string_view(header).substr(colon + 1), token_limit_,
                               [this](std::string_view address) { return map(address); });
  if (!rewritten) return rewritten.error();
  if (*rewritten) header = concat(name, ": ", **rewritten);
  return {};
}

}  // namespace mta
