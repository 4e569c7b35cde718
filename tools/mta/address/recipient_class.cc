#include "tools/mta/address/recipient_class.h"

#include <array>
#include <string>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libmaps::MatchKind;

struct ListName {
  RecipientClass recipient_class;
  std::string_view parameter;
  MatchKind kind;
};

/// In the order in which they count.
constexpr std::array kLists = {
    ListName{RecipientClass::kVirtualAlias, "virtual_alias_domains", MatchKind::kStrings},
    ListName{RecipientClass::kVirtualMailbox, "virtual_mailbox_domains", MatchKind::kStrings},
    ListName{RecipientClass::kRelay, "relay_domains", MatchKind::kDomains},
};

}  // namespace

Result<RecipientClasses> RecipientClasses::from(const AddressContext& context,
                                                std::shared_ptr<LocalDomains> domains) {
  RecipientClasses classes(std::move(domains), context.tables.warnings);
  for (const ListName& name : kLists) {
    const auto parents = libmaps::parent_style(context.settings(), name.parameter);
    if (!parents) return parents.error();
    auto list = open_list(name.parameter, {.kind = name.kind, .parents = *parents}, context.tables);
    if (!list) return list.error();
    classes.lists_.push_back({name.recipient_class, name.parameter, std::move(*list)});
  }
  return classes;
}

Result<RecipientClass> RecipientClasses::of(std::string_view domain) {
  const Result<bool> is_local = local_->has(domain);
  if (!is_local) return is_local.error();
  if (*is_local) return RecipientClass::kLocal;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const Result<bool> found = lists_[i].domains.matches(domain);
    if (!found) return found.error();
    if (!*found) continue;
    warn_of_others(i, domain);
    return lists_[i].recipient_class;
  }
  return RecipientClass::kDefault;
}

void RecipientClasses::warn_of_others(std::size_t index, std::string_view domain) {
  for (std::size_t i = index + 1; i < lists_.size(); ++i) {
    const Result<bool> found = lists_[i].domains.matches(domain);
    if (found && *found)
      warnings_.warn("domain-in-both", concat("do not list domain ", domain, " in BOTH ",
                                              lists_[index].parameter, " and ", lists_[i].parameter));
  }
}

}  // namespace mta
