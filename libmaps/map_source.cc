#include "libmaps/map_source.h"

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::is_space;

/// Where the key at the start of `text` ends: at white space outside double quotes. npos: the quotes do not
/// end. A backslash takes the next character with it.
std::size_t key_length(std::string_view text) {
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == '\\') {
      ++i;
    } else if (!in_quotes && is_space(c)) {
      return i;
    }
  }
  return in_quotes ? std::string_view::npos : text.size();
}

}  // namespace

libconf::Result<MapLine> parse_map_line(std::string_view text) {
  const std::size_t length = key_length(text);
  if (length == std::string_view::npos)
    return libconf::Error{
        .kind = libconf::ErrorKind::kSyntax,
        .message = libconf::concat("unbalanced '\"' in '", text, "' -- ignoring this line")};
  const MapLine line{.key = text.substr(0, length), .value = libconf::trim(text.substr(length))};
  if (line.key.empty() || line.value.empty())
    return libconf::Error{.kind = libconf::ErrorKind::kSyntax, .message = std::string(kNoValueMessage)};
  return line;
}

}  // namespace libmaps
