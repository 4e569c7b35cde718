/// Lists of patterns such as mynetworks, mydestination and relay_domains (postconf(5)).
///
///     auto list = MatchList::parse("relay_domains", value, {.kind = MatchKind::kDomains}, open_table);
///     if (!list) return list.error();
///     Result<bool> relay = list->matches("host.example.com");
///
/// A list is separated by commas and blanks. An item is a pattern; `/file`, which stands for the patterns in
/// the file; or `type:table`, which matches what the table has as a key. With '!' ahead it excludes what it
/// matches. The first item that matches decides.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libconf/result.h"
#include "libmaps/domain_keys.h"
#include "libmaps/network_pattern.h"
#include "libmaps/table.h"

namespace libmaps {

/// What a list has patterns for.
enum class MatchKind {
  kStrings,   ///< Texts that are equal: mydestination, virtual_alias_domains, masquerade_exceptions.
  kDomains,   ///< Domains, and their subdomains as ParentStyle has it: relay_domains, fast_flush_domains.
  kNetworks,  ///< Host names as kDomains, and addresses `addr`, `[addr]`, `net/length`: mynetworks.
};

struct MatchRules {
  MatchKind kind = MatchKind::kStrings;
  ParentStyle parents = ParentStyle::kDotted;  ///< parent_style() of the parameter; kStrings does not ask.
};

/// Movable, not copyable. Not thread-safe, as tables are not.
class MatchList {
 public:
  using OpenTable = std::function<Result<std::unique_ptr<Table>>(std::string_view spec)>;

  /// Reads an expanded value. `parameter` is for messages; `open_table` is called for each `type:table`, and
  /// not kept. Errors: those of `open_table`; kInputOutput for a file, "open FILE: REASON"; kConfiguration
  /// for files that include one another without end; kSyntax for a network that is none.
  static Result<MatchList> parse(std::string parameter, std::string_view value, MatchRules rules,
                                 const OpenTable& open_table);

  /// Whether the list has `name`, a string or a domain in any case of letters. Errors: those of the tables;
  /// never taken for "no".
  Result<bool> matches(std::string_view name);

  /// Whether the list has a client: its host name, or its address. An empty name, or an address that is none,
  /// matches nothing. REQUIRES: kNetworks.
  Result<bool> matches_client(std::string_view host_name, std::string_view address);

 private:
  using Pattern = std::variant<std::string, NetworkPattern, std::unique_ptr<Table>>;
  struct Item {
    bool is_negated;
    Pattern pattern;
  };
  class Reader;

  MatchList(std::string parameter, MatchRules rules) : parameter_(std::move(parameter)), rules_(rules) {}
  Result<bool> has_name(const Pattern& pattern, std::string_view name) const;
  Result<bool> has_address(const Pattern& pattern, std::string_view text,
                           const std::optional<IpAddress>& address) const;
  Result<bool> table_has(Table& table, std::string_view key) const;

  std::string parameter_;
  MatchRules rules_;
  std::vector<Item> items_;
};

}  // namespace libmaps
