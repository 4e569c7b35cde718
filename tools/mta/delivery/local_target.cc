#include "tools/mta/delivery/local_target.h"

#include "libmaps/utf8.h"

namespace mta {

Identity LocalTarget::actor(const LocalOptions& options) const {
  if (account) return account->identity.user == 0 ? options.default_rights : account->identity;
  return rights.value_or(options.default_rights);
}

RecipientNames LocalTarget::names(const LocalOptions& options) const {
  const libmaps::AddressParts parts = libmaps::split_address(address, options.rules);
  // The extension starts with the delimiter that was found.
  const std::string_view extension = parts.extension;
  const std::string_view delimiter = extension.empty() ? options.rules.recipient_delimiter : extension;
  RecipientNames names{.user = libmaps::fold_ascii(parts.user),
                       .recipient = address,
                       .local = libmaps::fold_ascii(parts.local),
                       .extension = std::string(extension.substr(extension.empty() ? 0 : 1)),
                       .delimiter = std::string(delimiter.substr(0, 1)),
                       .domain = std::string(parts.domain)};
  if (account) {
    names.home = account->home;
    names.shell = account->shell;
  }
  return names;
}

}  // namespace mta
