#include "tools/postconf/database_types.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace postconf {
namespace {

using libconf::is_name_char;

constexpr std::array<std::string_view, 2> kTypes = {"hash", "btree"};
constexpr std::string_view kProxy = "proxy:";

/// Whether `text` ends with `${name`, or `$(name`.
bool ends_with_open_reference(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && is_name_char(text[end - 1])) --end;
  return end < text.size() && end >= 2 && (text[end - 1] == '{' || text[end - 1] == '(') &&
         text[end - 2] == '$';
}

/// Whether a table can begin behind `before`.
bool can_begin_behind(std::string_view before, AheadOfTable ahead) {
  if (before.empty()) return true;
  const char last = before.back();
  if (libconf::kListSeparators.find(last) != std::string_view::npos || last == '{') return true;
  if (last == '=') return ahead == AheadOfTable::kCommand;
  if (last != ':' && last != '?') return false;
  if (ends_with_open_reference(before.substr(0, before.size() - 1))) return true;
  return before.ends_with(kProxy) && can_begin_behind(before.substr(0, before.size() - kProxy.size()), ahead);
}

/// The length of the name of a table: up to a separator, or a brace that closes what is around it.
std::size_t name_length(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && libconf::kListSeparators.find(text[i]) == std::string_view::npos &&
         text[i] != '}') {
    const std::size_t braced = text[i] == '{' ? libconf::balanced_length(text.substr(i)) : 1;
    i = braced == std::string_view::npos ? text.size() : i + braced;
  }
  return i;
}

}  // namespace

bool is_berkeley_db(std::string_view type) {
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

std::vector<DatabaseUse> database_uses(std::string_view text, AheadOfTable ahead) {
  std::vector<DatabaseUse> uses;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':', colon + 1)) {
    const std::string_view head = text.substr(0, colon);
    const auto* const type = std::find_if(kTypes.begin(), kTypes.end(),
                                          [head](std::string_view each) { return head.ends_with(each); });
    if (type == kTypes.end()) continue;
    const std::size_t offset = colon - type->size();
    const std::size_t length = name_length(text.substr(colon + 1));
    if (length == 0 || !can_begin_behind(text.substr(0, offset), ahead)) continue;
    uses.push_back(
        {offset, text.substr(offset, type->size()), text.substr(offset, colon + 1 + length - offset)});
  }
  return uses;
}

bool refers_to(std::string_view text, std::string_view name, std::string_view suffix) {
  for (const auto& [open, close] : {std::pair("$", ""), std::pair("${", "}"), std::pair("$(", ")")}) {
    const std::string reference = libconf::concat(open, name, close, suffix);
    for (std::size_t at = text.find(reference); at != std::string_view::npos;
         at = text.find(reference, at + 1)) {
      const std::size_t end = at + reference.size();
      // Without a suffix `$name` must not be the start of `$name_of_another`.
      if (!suffix.empty() || *close != '\0' || end == text.size() || !is_name_char(text[end])) return true;
    }
  }
  return false;
}

}  // namespace postconf
