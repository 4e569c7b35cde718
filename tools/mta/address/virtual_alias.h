/// Virtual aliasing: virtual_alias_maps turn a recipient into others (virtual(5), cleanup(8)).
///
///     auto aliases = VirtualAliases::from(context, rewriting, domains);
///     if (!aliases) return aliases.error();
///     auto recipients = aliases->expand({.address = "user@example.com", .original = "user@example.com"});
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/mapped_addresses.h"

namespace mta {

/// A recipient in the envelope, and what its delivery status notifications will say (RFC 3461).
struct EnvelopeRecipient {
  std::string address;            ///< External form.
  std::string original;           ///< As it came, before any rewriting: record type O of the queue.
  std::string dsn_original = {};  ///< ORCPT as `type;address`; empty: none was given.
  int dsn_notify = 0;             ///< NOTIFY as in the queue; 0: nothing was said.
  friend bool operator==(const EnvelopeRecipient&, const EnvelopeRecipient&) = default;
};

/// Not thread-safe, as tables are not.
class VirtualAliases {
 public:
  /// Errors: as open_tables() and Settings::get_int().
  static libconf::Result<VirtualAliases> from(const AddressContext& context,
                                              const AddressRewriting& rewriting,
                                              const std::shared_ptr<LocalDomains>& domains);

  /// What mail for `recipient` goes to: itself, when it is no alias. Results that are aliases are expanded,
  /// too; an alias may name itself. All keep the originals and the notification of `recipient`. The same
  /// address may come twice; to drop duplicates is for who sees all recipients of a message.
  /// Errors: those of tables, kTemporary mostly; or kConfiguration when the aliases have no reasonable end
  /// (virtual_alias_recursion_limit, virtual_alias_expansion_limit, virtual_alias_address_length_limit),
  /// which Postfix answers with "451 4.6.0 Alias expansion error". Neither means "no such alias".
  libconf::Result<std::vector<EnvelopeRecipient>> expand(const EnvelopeRecipient& recipient);

 private:
  struct Limits {
    std::size_t recursion = 0;  ///< Lookups for one result.
    std::size_t expansion = 0;  ///< Results.
    std::size_t length = 0;     ///< Of an address, in bytes.
  };
  VirtualAliases(AddressMapping mapping, Limits limits) : mapping_(std::move(mapping)), limits_(limits) {}
  libconf::Result<void> follow(std::size_t index, const EnvelopeRecipient& recipient,
                               std::vector<std::string>& addresses);
  libconf::Error unreasonable(std::string_view what, std::string_view address) const;

  AddressMapping mapping_;
  Limits limits_;
};

}  // namespace mta
