/// The several lookups that one address means: user+ext@domain, user@domain, @domain and so on, in the order
/// that each table's manual page documents.
///
///     AddressLookup virtual_aliases(LookupKind::kVirtual, std::move(tables), rules, is_local_site);
///     Result<std::optional<AddressMatch>> match = virtual_aliases.find("user+ext@example.com");
///
/// Addresses are in their external form, `"a b"@example.com`, as postmap(1) stores keys. Keys are asked for
/// as they are written: a table folds them itself, if it does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/domain_keys.h"
#include "libmaps/table.h"

namespace libmaps {

/// Whose order it is; each is the manual page of section 5 with this name.
enum class LookupKind : std::uint8_t {
  kAccess,  ///< EMAIL ADDRESS PATTERNS; see AddressLookup for hosts and networks.
  kAliases,
  kCanonical,
  kGeneric,
  kMailbox,  ///< virtual_mailbox_maps: virtual(8), TABLE SEARCH ORDER.
  kRelocated,
  kTransport,
  kVirtual,
};

/// The forms of keys, for an address user+ext@domain. A form that says the same as an earlier one, for want
/// of an extension, is left out; so is one that needs a domain, where there is none.
enum class KeyForm : std::uint8_t {
  kAddress,           ///< user+ext@domain: all of it.
  kBareAddress,       ///< user@domain
  kDomain,            ///< domain
  kParentDomain,      ///< .parent, or parent: see ParentStyle.
  kAtDomain,          ///< @domain
  kExtendedUserAt,    ///< user+ext@
  kUserAt,            ///< user@
  kExtendedUser,      ///< user+ext, for any domain
  kUser,              ///< user, for any domain
  kSiteExtendedUser,  ///< user+ext, where the domain is one of the site
  kSiteUser,          ///< user, where the domain is one of the site
  kNullAddress,       ///< What stands for the empty address.
  kWildcard,          ///< *
  kNetwork,           ///< A client's address, or a network around it.
};

/// What in main.cf decides about keys.
struct AddressRules {
  std::string recipient_delimiter;  ///< A set of characters; empty: there are no extensions.
  bool owner_request_special = true;
  std::string double_bounce_sender = "double-bounce";
  std::string null_address_key = "<>";  ///< smtpd_null_access_lookup_key
  ParentStyle parents = ParentStyle::kDotted;
};

/// The rules as `settings` have them for tables of `kind`. Errors: as Settings::get().
Result<AddressRules> address_rules(LookupKind kind, const libconf::Settings& settings);

/// An address in its parts; views into the text that was split.
struct AddressParts {
  std::string_view local;  ///< user+ext
  std::string_view user;
  std::string_view extension;  ///< "+ext" with its delimiter; empty: none.
  std::string_view domain;     ///< Behind the last '@'; empty: none.
};

/// Splits `address` (postconf(5), recipient_delimiter). Local parts that must not be split are not:
/// mailer-daemon, postmaster, the double-bounce address; with a delimiter '-' and owner_request_special also
/// owner-NAME and NAME-request; quoted ones. Pure; thread-safe.
AddressParts split_address(std::string_view address, const AddressRules& rules);

/// One lookup.
struct LookupKey {
  KeyForm form;
  std::string text;
  /// What the key leaves out of the address, "+ext": to be propagated, as propagate_unmatched_extensions
  /// says.
  std::string extension = {};
  friend bool operator==(const LookupKey&, const LookupKey&) = default;
};

/// All keys for `address`, in order. Those that depend on the site are among them. The empty address has a
/// key with kAccess only; transport(5) names an address that stands for it. Pure; thread-safe.
std::vector<LookupKey> lookup_keys(LookupKind kind, std::string_view address, const AddressRules& rules);

/// True for tables that are asked with the whole address only: "REGULAR EXPRESSION TABLES" and "TCP-BASED
/// TABLES" of the manual pages. `name` is a Table's.
bool is_pattern_table(std::string_view name);

/// What was found.
struct AddressMatch {
  std::string value;
  LookupKey key;
  std::string table;  ///< The name of the table that had it.
};

/// `value` as an address when it is "@otherdomain": the same user there (canonical(5), virtual(5),
/// generic(5), RESULT ADDRESS REWRITING). The user is `address`'s local part without what `key` left out of
/// it. Any other value is returned unchanged.
std::string with_user_kept(std::string_view value, std::string_view address, const LookupKey& key);

/// Asks tables for addresses. Not thread-safe, as tables are not.
class AddressLookup {
 public:
  /// Whether a domain is $myorigin, or one of $mydestination, $inet_interfaces, $proxy_interfaces.
  using IsLocalSite = std::function<Result<bool>(std::string_view domain)>;

  /// `is_local_site` is needed by kCanonical, kGeneric, kRelocated and kVirtual; without it no domain is the
  /// site's.
  AddressLookup(LookupKind kind, std::vector<std::unique_ptr<Table>> tables, AddressRules rules,
                IsLocalSite is_local_site = {});

  /// Asks every table for the first key, then for the next, until one has it. Nothing: no table has any. An
  /// error of a table, or of `is_local_site`, ends the search: what comes later must not stand in for it.
  Result<std::optional<AddressMatch>> find(std::string_view address);

  /// access(5), HOST NAME/ADDRESS PATTERNS: a host name and its parents; a client's address and the networks
  /// around it.
  Result<std::optional<AddressMatch>> find_host(std::string_view name);
  Result<std::optional<AddressMatch>> find_client(const IpAddress& address);

 private:
  struct Source {
    std::unique_ptr<Table> table;
    bool is_pattern;
  };
  Result<std::optional<AddressMatch>> find_first(std::vector<LookupKey> keys, std::string_view domain);

  LookupKind kind_;
  std::vector<Source> sources_;
  AddressRules rules_;
  IsLocalSite is_local_site_;
};

}  // namespace libmaps
