/// Addresses as the world outside is to see them: smtp_generic_maps (generic(5), smtp(8)).
///
///     auto generic = GenericAddresses::open("smtp_", context);
///     Result<std::string> sender = (*generic)->map("ann@host.localdomain");   // "ann@example.com"
///     Result<void> done = (*generic)->rewrite_header(header);
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/mapped_addresses.h"

namespace mta {

/// Not thread-safe, as tables are not.
class GenericAddresses {
 public:
  /// `protocol`: "smtp_" or "lmtp_". Null: there are no tables. Errors: as AddressMapping::from().
  static libconf::Result<std::unique_ptr<GenericAddresses>> open(std::string_view protocol,
                                                                 const AddressContext& context,
                                                                 std::shared_ptr<LocalDomains> domains);

  /// What stands for an address in external form. Errors: a table could not tell.
  libconf::Result<std::string> map(std::string_view address);

  /// Rewrites the addresses in a header of a message itself, "Name: value" with the newlines of folds; others
  /// than those of senders and recipients stay as they are. Errors: the same.
  libconf::Result<void> rewrite_header(std::string& header);

 private:
  GenericAddresses(AddressMapping mapping, std::size_t token_limit, libconf::DiagnosticSink& warnings)
      : mapping_(std::move(mapping)), token_limit_(token_limit), warnings_(warnings) {}

  AddressMapping mapping_;
  std::size_t token_limit_;
  libconf::DiagnosticSink& warnings_;
};

}  // namespace mta
