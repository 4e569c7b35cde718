/// Canonical mapping: canonical_maps, sender_canonical_maps and recipient_canonical_maps (canonical(5),
/// cleanup(8)).
///
///     auto canonical = CanonicalMapping::from(context, rewriting, domains);
///     if (!canonical) return canonical.error();
///     Result<std::string> sender = canonical->map(AddressRole::kEnvelopeSender, "wietse@example.com");
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/address/address_context.h"
#include "tools/mta/address/address_role.h"
#include "tools/mta/address/mapped_addresses.h"

namespace mta {

/// Not thread-safe, as tables are not.
class CanonicalMapping {
 public:
  /// Errors: as open_tables(), and for a class of addresses that there is none.
  static libconf::Result<CanonicalMapping> from(const AddressContext& context,
                                                const AddressRewriting& rewriting,
                                                const std::shared_ptr<LocalDomains>& domains);

  /// What stands for `address`, which is in standard form; both in external form. The maps for the role come
  /// first, then canonical_maps; each is applied to its own result until that does not change. An entry with
  /// several addresses counts as the first, and one that leads back to itself ends after some rounds; the
  /// sink is warned of both. Errors: those of tables; the message must wait.
  libconf::Result<std::string> map(AddressRole role, std::string address);

 private:
  struct Step {
    AddressRoles roles;
    AddressMapping mapping;
  };
  explicit CanonicalMapping(libconf::DiagnosticSink& warnings) : warnings_(warnings) {}
  libconf::Result<std::string> map_all(AddressMapping& mapping, std::string address);

  libconf::DiagnosticSink& warnings_;
  std::vector<Step> steps_;
};

}  // namespace mta
