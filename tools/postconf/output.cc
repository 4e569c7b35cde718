#include "tools/postconf/output.h"

#include <utility>

#include "libconf/text.h"

namespace postconf {

using libconf::concat;

void append_setting(std::string& out, std::string_view name, std::string_view value, const Format& format) {
  if (format.json) {
    out += concat("{", libconf::json_quote(name), ": ", libconf::json_quote(value), "}");
  } else if (format.names_only) {
    out += name;
  } else {
    const std::string head = format.values_only ? std::string() : concat(name, " =");
    if (format.fold) {
      out += libconf::fold(head, value);
    } else {
      out += head;
      bool needs_space = !head.empty();
      while (const auto word = libconf::next_word(value, libconf::kBlanks)) {
        if (needs_space) out += ' ';
        out += *word;
        needs_space = true;
      }
    }
  }
  out += '\n';
}

void WarningPrinter::report(libconf::Diagnostic diagnostic) {
  if (quiet_ && (diagnostic.code == "unused-parameter" || diagnostic.code == "deprecated-parameter")) return;
  MessagePrinter::report(std::move(diagnostic));
}

}  // namespace postconf
