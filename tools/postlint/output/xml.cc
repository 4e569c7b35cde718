#include "tools/postlint/output/xml.h"

#include "libconf/text.h"

namespace postlint {

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : libconf::printable_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace postlint
