#include "tools/mta/delivery/alias_items.h"

#include "libconf/text.h"
#include "tools/mta/address/address_tokens.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/address/quoting.h"

namespace mta {
namespace {

constexpr std::string_view kInclude = ":include:";
constexpr std::string_view kHome = "~/";

bool starts_include(std::string_view text) {
  return libconf::equals_ignoring_case(text.substr(0, kInclude.size()), kInclude);
}

/// The length of what must not be divided: a quoted string, a comment, or a single character.
std::size_t unit_length(std::string_view text) {
  const char open = text.front();
  if (open == '\\') return text.size() > 1 ? 2 : 1;
  if (open != '"' && open != '(') return 1;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (open == '"' ? text[i] == '"' && i > 0 : text[i] == ')' && --depth == 0) {
      return i + 1;
    } else if (open == '(' && text[i] == '(') {
      ++depth;
    }
  }
  return text.size();
}

AliasItem item_of(std::string address) {
  const std::string internal = unquote_address(address);
  if (internal.starts_with('|')) return {AliasItemKind::kCommand, internal.substr(1)};
  if (internal.starts_with('/')) return {AliasItemKind::kFile, internal};
  if (internal.starts_with(kHome)) return {AliasItemKind::kHome, internal.substr(kHome.size())};
  if (internal.starts_with('~')) return {AliasItemKind::kHome, internal};
  if (starts_include(internal)) return {AliasItemKind::kInclude, internal.substr(kInclude.size())};
  return {AliasItemKind::kAddress, std::move(address)};
}

void add_addresses(std::string_view text, std::vector<AliasItem>& items) {
  for (std::string& address : header_addresses(text, kUnlimitedTokens))
    items.push_back(item_of(std::move(address)));
}

}  // namespace

std::vector<AliasItem> parse_alias_items(std::string_view text) {
  std::vector<AliasItem> items;
  std::size_t start = 0;  // Of what has not been looked at for addresses.
  std::size_t i = 0;
  bool is_between = true;  // Here something may begin.
  while (i < text.size()) {
    if (is_between && starts_include(text.substr(i))) {
      add_addresses(text.substr(start, i - start), items);
      const std::size_t end = std::min(text.find_first_of(libconf::kListSeparators, i), text.size());
      items.push_back({AliasItemKind::kInclude,
                       std::string(text.substr(i + kInclude.size(), end - i - kInclude.size()))});
      start = i = end;
      continue;
    }
    is_between = libconf::kListSeparators.find(text[i]) != std::string_view::npos;
    i = std::min(i + unit_length(text.substr(i)), text.size());
  }
  add_addresses(text.substr(start), items);
  return items;
}

std::vector<AliasItem> parse_alias_file(std::string_view text) {
  std::vector<AliasItem> items;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.starts_with('#')) continue;
    for (AliasItem& item : parse_alias_items(line)) items.push_back(std::move(item));
  }
  return items;
}

}  // namespace mta
