#include "libmaps/match_list.h"

#include <utility>

#include "libconf/text.h"
#include "libmaps/address_lookup.h"
#include "libmaps/source_reader.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

/// True when `name` ends with `end`, and has something before it.
bool has_proper_end(std::string_view name, std::string_view end) {
  return name.size() > end.size() && equals_ignoring_case(name.substr(name.size() - end.size()), end);
}

bool domain_matches(std::string_view pattern, std::string_view name, ParentStyle parents) {
  if (equals_ignoring_case(pattern, name)) return true;
  if (parents == ParentStyle::kDotted) return pattern.starts_with('.') && has_proper_end(name, pattern);
  return has_proper_end(name, pattern) && name[name.size() - pattern.size() - 1] == '.';
}

template <class Address>
bool network_has(const IpNetwork<Address>& network, const IpAddress& address) {
  const auto* same_family = std::get_if<Address>(&address);
  return same_family != nullptr && network.contains(*same_family);
}

}  // namespace

/// Reads the items of a value and of the files that it includes.
class MatchList::Reader {
 public:
  Reader(MatchList& list, const OpenTable& open_table) : list_(list), open_table_(open_table) {}

  Result<void> read(std::string_view text, bool is_negated) {
    while (const auto word = libconf::next_braced_word(text, libconf::kListSeparators)) {
      std::string_view item = *word;
      bool is_item_negated = is_negated;
      while (item.starts_with('!')) {
        is_item_negated = !is_item_negated;
        item.remove_prefix(1);
      }
      Result<void> done =
          item.starts_with('/') ? read_file(std::string(item), is_item_negated) : add(item, is_item_negated);
      if (!done) return done;
    }
    return {};
  }

 private:
  /// More than anybody means to; files that include themselves reach it.
  static constexpr int kMostFiles = 1000;

  Result<void> read_file(const std::string& file, bool is_negated) {
    if (++files_ > kMostFiles)
      return Error{
          .kind = ErrorKind::kConfiguration,
          .message = concat(list_.parameter_, ": ", file, ": too many files; does one include itself?"),
          .file = file};
    Result<SourceReader> source = SourceReader::open_file(file);
    if (!source) return source.error();
    while (const auto line = source->next())
      if (Result<void> done = read(line->text, is_negated); !done) return done;
    return {};
  }

  Result<void> add(std::string_view item, bool is_negated) {
    Result<Pattern> pattern = pattern_of(item);
    if (!pattern) return pattern.error();
    list_.items_.push_back({is_negated, std::move(*pattern)});
    return {};
  }

  Result<Pattern> pattern_of(std::string_view item) {
    const bool is_network_list = list_.rules_.kind == MatchKind::kNetworks;
    // The colons of IPv6 addresses, which are in brackets, are not those of tables.
    const bool is_bracketed = item.starts_with('[');
    if (!is_bracketed && item.find(':') != std::string_view::npos) {
      Result<std::unique_ptr<Table>> table = open_table_(item);
      if (!table) return table.error();
      return Pattern(std::move(*table));
    }
    const bool is_network = is_bracketed || item.find('/') != std::string_view::npos || parse_ipv4(item);
    if (!is_network_list || !is_network) return Pattern(std::string(item));
    const Result<NetworkPattern> network = parse_network_pattern(item);
    if (network) return Pattern(*network);
    return Error{.kind = ErrorKind::kSyntax,
                 .message = concat(list_.parameter_, ": ", network.error().message)};
  }

  MatchList& list_;
  const OpenTable& open_table_;
  int files_ = 0;
};

Result<MatchList> MatchList::parse(std::string parameter, std::string_view value, MatchRules rules,
                                   const OpenTable& open_table) {
  MatchList list(std::move(parameter), rules);
  if (Result<void> done = Reader(list, open_table).read(value, false); !done) return done.error();
  return list;
}

Result<bool> MatchList::matches(std::string_view name) {
  for (const Item& item : items_) {
    Result<bool> found = has_name(item.pattern, name);
    if (!found) return found;
    if (*found) return !item.is_negated;
  }
  return false;
}

Result<bool> MatchList::matches_client(std::string_view host_name, std::string_view address) {
  const std::optional<IpAddress> parsed = parse_ip_address(address);
  for (const Item& item : items_) {
    Result<bool> found = has_name(item.pattern, host_name);
    if (found && !*found) found = has_address(item.pattern, address, parsed);
    if (!found) return found;
    if (*found) return !item.is_negated;
  }
  return false;
}

Result<bool> MatchList::has_name(const Pattern& pattern, std::string_view name) const {
  // A client may have no name. A string may be empty, as the domain of "user@" is.
  if (name.empty() && rules_.kind != MatchKind::kStrings) return false;
  if (const auto* text = std::get_if<std::string>(&pattern))
    return rules_.kind == MatchKind::kStrings ? equals_ignoring_case(*text, name)
                                              : domain_matches(*text, name, rules_.parents);
  const auto* table = std::get_if<std::unique_ptr<Table>>(&pattern);
  if (table == nullptr) return false;
  if (rules_.kind == MatchKind::kStrings || is_pattern_table((*table)->name()))
    return table_has(**table, name);
  for (const std::string_view key : domain_keys(name, rules_.parents)) {
    Result<bool> found = table_has(**table, key);
    if (!found || *found) return found;
  }
  return false;
}

Result<bool> MatchList::has_address(const Pattern& pattern, std::string_view text,
                                    const std::optional<IpAddress>& address) const {
  if (!address) return false;
  if (const auto* network = std::get_if<NetworkPattern>(&pattern))
    return std::visit([&](const auto& each) { return network_has(each, *address); }, *network);
  if (const auto* table = std::get_if<std::unique_ptr<Table>>(&pattern)) return table_has(**table, text);
  return false;
}

Result<bool> MatchList::table_has(Table& table, std::string_view key) const {
  const auto value = table.lookup(key);
  if (value) return value->has_value();
  return Error{.kind = value.error().kind,
               .message = concat(parameter_, ": ", table.name(), ": lookup of \"", key,
                                 "\": ", value.error().message)};
}

}  // namespace libmaps
