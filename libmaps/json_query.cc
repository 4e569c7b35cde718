#include "libmaps/json_query.h"

#include "libconf/text.h"

namespace libmaps {

void quote_json(std::string_view text, std::string& out) {
  const std::string quoted = libconf::json_quote(text);
  out.append(quoted, 1, quoted.size() - 2);
}

std::optional<std::string_view> find_unquoted_conversion(std::string_view query) {
  bool is_inside = false;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i] == '"') is_inside = !is_inside;
    if (query[i] == '\\' && is_inside) ++i;
    if (query[i] != '%') continue;
    const std::string_view conversion = query.substr(i, 2);
    ++i;
    if (!is_inside && conversion != "%%") return conversion;
  }
  return std::nullopt;
}

bool is_one_object(std::string_view text) {
  text = libconf::trim(text);
  if (!text.starts_with('{')) return false;
  bool is_inside = false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') is_inside = !is_inside;
    if (text[i] == '\\' && is_inside) ++i;
    if (is_inside || i >= text.size()) continue;
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1 == text.size();
  }
  return false;
}

}  // namespace libmaps
