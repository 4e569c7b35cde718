#include "tools/mta/delivery/local_target.h"

#include "libmaps/utf8.h"

namespace mta {

Identity LocalTarget::actor(const LocalOptions& options) const {
  if (account) return account->identity.user == 0 ? options.default_rights : account->identity;
  return rights.value_or(options.default_rights);
}

RecipientNames LocalTarget::names(const LocalOptions& options) const {
  const libmaps::AddressParts parts = libmaps::split_address(address, options.rules);
  RecipientNames names{.user = libmaps::fold_ascii(parts.user),
                       .recipient = address,
                       .local = libmaps::fold_ascii(parts.local),
                       .domain = std::string(parts.domain)};
  if (!parts.extension.empty()) {
    names.extension = parts.extension.substr(1);
    names.delimiter = parts.extension.substr(0, 1);
  } else {
    names.delimiter = options.rules.recipient_delimiter.substr(0, 1);
  }
  if (account) {
    names.home = account->home;
    names.shell = account->shell;
  }
  return names;
}

}  // namespace mta
