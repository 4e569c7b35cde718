#include "tools/mta/content/header_line.h"

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

}  // namespace mta
