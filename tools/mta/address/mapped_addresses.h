/// Addresses that a table of canonical(5) or virtual(5) gives for an address.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/address_lookup.h"
#include "tools/mta/address/address_context.h"
#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/local_domains.h"

namespace mta {

/// One of the parameters that map addresses to addresses. Not thread-safe, as tables are not. All addresses
/// are in external form.
class AddressMapping {
 public:
  /// `feature` is the word for it in propagate_unmatched_extensions. Errors: as open_tables().
  static libconf::Result<AddressMapping> from(std::string_view parameter, libmaps::LookupKind kind,
                                              std::string_view feature, const AddressContext& context,
                                              const AddressRewriting& rewriting,
                                              std::shared_ptr<LocalDomains> domains);

  const std::string& parameter() const { return parameter_; }

  /// The addresses that `address` is mapped to, in standard form of the local context, with the extension
  /// that was not matched if it is to be propagated. Nothing: there is no entry. Empty: the entry has no
  /// address. Errors: those of tables; never taken for "no entry".
  libconf::Result<std::optional<std::vector<std::string>>> find(std::string_view address);

 private:
  AddressMapping(std::string parameter, libmaps::AddressLookup lookup, const AddressRewriting& rewriting)
      : parameter_(std::move(parameter)), lookup_(std::move(lookup)), rewriting_(rewriting) {}

  std::string parameter_;
  libmaps::AddressLookup lookup_;
  AddressRewriting rewriting_;
  bool propagates_extension_ = false;
};

}  // namespace mta
