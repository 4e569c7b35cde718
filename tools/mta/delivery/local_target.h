/// A recipient on its way through aliases and .forward files (local(8)).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/mta/delivery/local_options.h"
#include "tools/mta/delivery/recipient_names.h"

namespace mta {

struct LocalTarget {
  std::string address;       ///< In internal form.
  std::string sender;        ///< Likewise; an owner alias changes it.
  std::string delivered_to;  ///< For the header.
  AliasSource source = AliasSource::kAlias;
  std::optional<Identity> rights = {};  ///< Of whom the alias or :include: file is; nothing: default_privs.
  std::optional<Account> account =
      {};                  ///< On whose behalf: whose .forward file this is about, or whose mailbox.
  bool has_owner = false;  ///< There is an owner alias: errors are its.
  bool is_queued = false;  ///< Addresses go into a new message, local ones, too.
  std::string alias = {};  ///< The one whose expansion this is.
  std::vector<std::string> aliases = {};  ///< All on the way here, but for the first recipient's.
  std::string forwarded_by = {};          ///< The user whose .forward file this is from.
  int depth = 0;

  /// Commands and files are run and written as this user.
  Identity actor(const LocalOptions& options) const;
  /// The parts of the address, folded where names are, for $names and the environment.
  RecipientNames names(const LocalOptions& options) const;
};

}  // namespace mta
