/// Address masquerading: hides hosts behind their domain (ADDRESS_REWRITING_README, "Address masquerading").
///
///     auto masquerade = Masquerade::from(context);
///     if (!masquerade) return masquerade.error();
///     Result<std::string> sender = masquerade->hide(AddressRole::kEnvelopeSender, "user@host.example.com");
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libmaps/match_list.h"
#include "tools/mta/address/address_context.h"
#include "tools/mta/address/address_role.h"

namespace mta {

/// Not thread-safe, as the tables of masquerade_exceptions are not.
class Masquerade {
 public:
  /// Reads masquerade_domains, masquerade_classes and masquerade_exceptions. Errors: as open_list() and
  /// address_roles().
  static libconf::Result<Masquerade> from(const AddressContext& context);

  /// `address` with the first of masquerade_domains that its own is a subdomain of, unless that has a '!' or
  /// the user is an exception; both in external form. Errors: those of tables.
  libconf::Result<std::string> hide(AddressRole role, std::string address);

 private:
  struct Domain {
    std::string name;
    bool is_excluded = false;
  };
  Masquerade(AddressRoles roles, libmaps::MatchList exceptions)
      : roles_(roles), exceptions_(std::move(exceptions)) {}

  AddressRoles roles_;
  std::vector<Domain> domains_;
  libmaps::MatchList exceptions_;
};

}  // namespace mta
