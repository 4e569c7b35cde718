#include "tools/mta/content/header_line.h"

#include "libconf/text.h"

namespace mta {
namespace {

/// RFC 5322, section 2.2: printable ASCII, other than the colon.
bool is_name_char(char c) { return c > ' ' && c < 0x7F && c != ':'; }

}  // namespace

HeaderStart header_start(std::string_view line) {
  HeaderStart start;
  while (start.name < line.size() && is_name_char(line[start.name])) ++start.name;
  start.colon = start.name;
  while (start.colon < line.size() && (line[start.colon] == ' ' || line[start.colon] == '\t')) ++start.colon;
  if (start.colon == line.size() || line[start.colon] != ':') start.name = 0;
  return start;
}

std::string comment_text(std::string_view name) {
  std::string text = libconf::printable(name);
  std::size_t open = 0;
  for (char& c : text) {
    if (c == '\\' || (c == ')' && open == 0)) c = '?';
    if (c == '(') ++open;
    if (c == ')') --open;
  }
  return text.append(open, ')');
}

}  // namespace mta
