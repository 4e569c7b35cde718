// Query templates: the first line is a template, the second a key, the rest a result.
#include <algorithm>

#include "libmaps/query_template.h"
#include "tests/fuzz/property.h"

namespace {

using libmaps::QueryAddress;
using libmaps::QueryTemplate;

// Neither is in a key or a template that is looked at.
constexpr char kOpen = '\x01';
constexpr char kClose = '\x02';

void mark(std::string_view text, std::string& out) {
  out += kOpen;
  out += text;
  out += kClose;
}

std::string without_marks(std::string text) {
  std::erase_if(text, [](char c) { return c == kOpen || c == kClose; });
  return text;
}

void check(std::string_view text, QueryTemplate::Role role, const QueryAddress& key,
           const QueryAddress& result) {
  const auto parsed = QueryTemplate::parse(text, role);
  if (!parsed) {
    require(text.find('%') != std::string_view::npos, "only a conversion is refused");
    return;
  }
  std::string plain;
  const bool is_expanded = parsed->expand(key, result, {}, plain);
  if (role == QueryTemplate::Role::kQuery)
    require(is_expanded == parsed->accepts_key(key), "a query needs nothing but parts of the key");
  else
    require(!is_expanded || parsed->accepts_key(key), "a result needs parts of the key");
  if (!is_expanded) return;
  if (text.find('%') == std::string_view::npos) require(plain == text, "a text without conversions stands");
  std::string marked;
  require(parsed->expand(key, result, mark, marked), "quoting changes no outcome");
  require(without_marks(marked) == plain, "only parts are quoted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = as_text(data, size);
  if (text.find_first_of("\x01\x02") != std::string_view::npos) return 0;
  const std::string_view format = take_first_line(text);
  const QueryAddress key(take_first_line(text));
  const QueryAddress result(text);
  check(format, QueryTemplate::Role::kQuery, key, result);
  check(format, QueryTemplate::Role::kResult, key, result);
  return 0;
}
