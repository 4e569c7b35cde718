#include "libmaps/sql_parameters.h"

namespace libmaps {
namespace {

/// A key with all parts that a query may need.
constexpr std::string_view kCompleteKey = "u@d.d.d.d.d.d.d.d.d";

/// Stands for a part of the key.
constexpr std::string_view kMark = "\x01";

constexpr std::string_view kNotWithParameters[] = {"\"", "`", "[", "?", ":", "@", "$", kMark, "--", "/*"};

}  // namespace

std::optional<std::string> query_with_parameters(const QueryRules& rules) {
  if (rules.query_for(kCompleteKey, {}).find(kMark) != std::string::npos) return std::nullopt;
  const std::string marked =
      rules.query_for(kCompleteKey, [](std::string_view, std::string& out) { out += kMark; });
  std::string query;
  bool has_parameters = false;
  std::string_view rest = marked;
  while (!rest.empty()) {
    // What is not in a string, and then a string.
    const std::string_view code = rest.substr(0, rest.find('\''));
    for (const std::string_view text : kNotWithParameters)
      if (code.find(text) != std::string_view::npos) return std::nullopt;
    query += code;
    rest.remove_prefix(code.size());
    if (rest.empty()) break;
    const std::size_t end = rest.find('\'', 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    // A doubled quote makes two of one string: both come out as they were.
    const bool is_whole = !query.ends_with('\'') && !rest.starts_with('\'');
    if (is_whole && text == kMark) {
      query += '?';
      has_parameters = true;
    } else if (text.find(kMark) == std::string_view::npos) {
      query.append("'").append(text).append("'");
    } else {
      return std::nullopt;
    }
  }
  if (!has_parameters) return std::nullopt;
  return query;
}

}  // namespace libmaps
