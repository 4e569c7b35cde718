#include "libmaps/address_lookup.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

using enum KeyForm;
constexpr std::array kAccessForms = {kAddress,      kBareAddress,    kDomain,
                                     kParentDomain, kExtendedUserAt, kUserAt};
constexpr std::array kAliasForms = {kExtendedUser, kUser};
constexpr std::array kMailboxForms = {kAddress, kBareAddress, kAtDomain};
constexpr std::array kRewriteForms = {kAddress, kBareAddress, kSiteExtendedUser, kSiteUser, kAtDomain};
constexpr std::array kTransportForms = {kAddress, kBareAddress, kDomain, kParentDomain, kWildcard};

struct Order {
  LookupKind kind;
  std::span<const KeyForm> forms;
  std::string_view parent_feature;  ///< Its name in parent_domain_matches_subdomains, where that counts.
};

constexpr std::array kOrders = {
    Order{LookupKind::kAccess, kAccessForms, "smtpd_access_maps"},
    Order{LookupKind::kAliases, kAliasForms, {}},
    Order{LookupKind::kCanonical, kRewriteForms, {}},
    Order{LookupKind::kGeneric, kRewriteForms, {}},
    Order{LookupKind::kMailbox, kMailboxForms, {}},
    Order{LookupKind::kRelocated, kRewriteForms, {}},
    Order{LookupKind::kTransport, kTransportForms, "transport_maps"},
    Order{LookupKind::kVirtual, kRewriteForms, {}},
};

constexpr bool orders_are_in_place() {
  for (std::size_t i = 0; i < kOrders.size(); ++i)
    if (static_cast<std::size_t>(kOrders[i].kind) != i) return false;
  return true;
}
static_assert(orders_are_in_place());

const Order& order_of(LookupKind kind) { return kOrders[static_cast<std::size_t>(kind)]; }

bool depends_on_site(KeyForm form) { return form == kSiteExtendedUser || form == kSiteUser; }

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equals_ignoring_case(text.substr(0, start.size()), start);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

bool must_not_split(std::string_view local, const AddressRules& rules) {
  if (local.starts_with('"')) return true;
  for (const std::string_view name : {std::string_view("mailer-daemon"), std::string_view("postmaster"),
                                      std::string_view(rules.double_bounce_sender)})
    if (equals_ignoring_case(local, name)) return true;
  const bool is_dash = rules.recipient_delimiter.find('-') != std::string::npos;
  return is_dash && rules.owner_request_special &&
         (starts_with_ignoring_case(local, "owner-") || ends_with_ignoring_case(local, "-request"));
}

/// The keys of one form; none where the address lacks what the form needs.
void add_keys(KeyForm form, std::string_view address, const AddressParts& parts, const AddressRules& rules,
              std::vector<LookupKey>& keys) {
  const std::string extension(parts.extension);
  const bool has_user = !parts.user.empty();
  const bool has_domain = !parts.domain.empty();
  const bool has_extension = !parts.extension.empty();
  switch (form) {
    case kAddress:
      keys.push_back({form, std::string(address)});
      break;
    case kBareAddress:
      if (has_domain && has_extension)
        keys.push_back({form, concat(parts.user, "@", parts.domain), extension});
      break;
    case kDomain:
      if (has_domain) keys.push_back({form, std::string(parts.domain)});
      break;
    case kParentDomain:
      for (const std::string_view key : domain_keys(parts.domain, rules.parents))
        if (key.size() < parts.domain.size()) keys.push_back({form, std::string(key)});
      break;
    case kAtDomain:
      if (has_domain) keys.push_back({form, concat("@", parts.domain)});
      break;
    case kExtendedUserAt:
      if (has_extension) keys.push_back({form, concat(parts.local, "@")});
      break;
    case kUserAt:
      if (has_user) keys.push_back({form, concat(parts.user, "@"), extension});
      break;
    case kExtendedUser:
    case kSiteExtendedUser:
      if (has_extension) keys.push_back({form, std::string(parts.local)});
      break;
    case kUser:
    case kSiteUser:
      if (has_user) keys.push_back({form, std::string(parts.user), extension});
      break;
    case kWildcard:
      keys.push_back({form, "*"});
      break;
    case kNullAddress:
    case kNetwork:
      break;
  }
}

/// As Postfix words it: why, the table has said.
Error lookup_error(const Table& table, std::string_view key, const Error& cause) {
  return Error{.kind = cause.kind, .message = concat(table.name(), " lookup error for \"", key, "\"")};
}

}  // namespace

Result<AddressRules> address_rules(LookupKind kind, const libconf::Settings& settings) {
  AddressRules rules;
  for (const auto& [name, value] : {std::pair("recipient_delimiter", &rules.recipient_delimiter),
                                    std::pair("double_bounce_sender", &rules.double_bounce_sender),
                                    std::pair("smtpd_null_access_lookup_key", &rules.null_address_key)}) {
    Result<std::string> setting = settings.get(name);
    if (!setting) return setting.error();
    *value = std::move(*setting);
  }
  const Result<bool> special = settings.get_bool("owner_request_special");
  if (!special) return special.error();
  rules.owner_request_special = *special;
  if (const std::string_view feature = order_of(kind).parent_feature; !feature.empty()) {
    const Result<ParentStyle> parents = parent_style(settings, feature);
    if (!parents) return parents.error();
    rules.parents = *parents;
  }
  return rules;
}

AddressParts split_address(std::string_view address, const AddressRules& rules) {
  AddressParts parts;
  const std::size_t at = address.rfind('@');
  parts.local = address.substr(0, at);
  if (at != std::string_view::npos) parts.domain = address.substr(at + 1);
  parts.user = parts.local;
  if (must_not_split(parts.local, rules)) return parts;
  const std::size_t delimiter = parts.local.find_first_of(rules.recipient_delimiter);
  // Without a user there is nothing that the extension could extend.
  if (delimiter == std::string_view::npos || delimiter == 0) return parts;
  parts.user = parts.local.substr(0, delimiter);
  parts.extension = parts.local.substr(delimiter);
  return parts;
}

std::vector<LookupKey> lookup_keys(LookupKind kind, std::string_view address, const AddressRules& rules) {
  if (address.empty()) {
    if (kind == LookupKind::kAccess) return {{kNullAddress, rules.null_address_key}};
    return {};
  }
  const AddressParts parts = split_address(address, rules);
  std::vector<LookupKey> keys;
  for (const KeyForm form : order_of(kind).forms) add_keys(form, address, parts, rules, keys);
  return keys;
}

bool is_pattern_table(std::string_view name) {
  for (const std::string_view wrapper : {"proxy:", "debug:"})
    if (name.starts_with(wrapper)) name.remove_prefix(wrapper.size());
  const std::string_view type = name.substr(0, name.find(':'));
  constexpr std::string_view kTypes[] = {"cidr", "pcre", "regexp", "tcp"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

std::string with_user_kept(std::string_view value, std::string_view address, const LookupKey& key) {
  if (!value.starts_with('@')) return std::string(value);
  std::string_view local = address.substr(0, address.rfind('@'));
  local.remove_suffix(std::min(key.extension.size(), local.size()));
  return concat(local, value);
}

AddressLookup::AddressLookup(LookupKind kind, std::vector<std::unique_ptr<Table>> tables, AddressRules rules,
                             IsLocalSite is_local_site)
    : kind_(kind), rules_(std::move(rules)), is_local_site_(std::move(is_local_site)) {
  for (auto& table : tables) {
    const bool is_pattern = is_pattern_table(table->name());
    sources_.push_back({std::move(table), is_pattern});
  }
}

Result<std::optional<AddressMatch>> AddressLookup::find(std::string_view address) {
  return find_first(lookup_keys(kind_, address, rules_), split_address(address, rules_).domain);
}

Result<std::optional<AddressMatch>> AddressLookup::find_host(std::string_view name) {
  std::vector<LookupKey> keys;
  for (const std::string_view key : domain_keys(name, rules_.parents))
    keys.push_back({keys.empty() ? kDomain : kParentDomain, std::string(key)});
  return find_first(std::move(keys), {});
}

Result<std::optional<AddressMatch>> AddressLookup::find_client(const IpAddress& address) {
  std::vector<LookupKey> keys;
  for (std::string& key : network_keys(address)) keys.push_back({kNetwork, std::move(key)});
  return find_first(std::move(keys), {});
}

Result<std::optional<AddressMatch>> AddressLookup::find_first(std::vector<LookupKey> keys,
                                                              std::string_view domain) {
  std::optional<bool> is_local;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    LookupKey& key = keys[i];
    if (depends_on_site(key.form)) {
      if (!is_local) {
        const Result<bool> answer = is_local_site_ ? is_local_site_(domain) : Result<bool>(false);
        if (!answer) return answer.error();
        is_local = *answer;
      }
      if (!*is_local) continue;
    }
    for (const Source& source : sources_) {
      if (source.is_pattern && i > 0) continue;
      auto value = source.table->lookup(key.text);
      if (!value) return lookup_error(*source.table, key.text, value.error());
      if (*value) return AddressMatch{std::move(**value), std::move(key), source.table->name()};
    }
  }
  return std::nullopt;
}

}  // namespace libmaps
