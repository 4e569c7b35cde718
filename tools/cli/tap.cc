#include "tools/cli/tap.h"

#include <algorithm>

#include "libconf/text.h"

namespace cli {
namespace {

using libconf::concat;

/// Behind a '#' there would be a directive, such as TODO.
std::string escaped(std::string_view description) {
  std::string out;
  for (const char c : libconf::printable_utf8(description)) {
    if (c == '#') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

TapReport::TapReport(std::string& out, std::size_t count) : out_(out) {
  out_ += concat("TAP version 13\n1..", std::to_string(count), "\n");
}

void TapReport::result(bool is_good, std::string_view description) {
  out_ += concat(is_good ? "ok " : "not ok ", std::to_string(++number_), " - ", escaped(description), "\n");
}

void TapReport::comment(std::string_view lines, std::string_view indent) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    out_ += concat("# ", indent, line, "\n");
  }
}

void TapReport::result(bool is_good, std::string_view description, std::initializer_list<TapDetail> details) {
  result(is_good, description);
  if (is_good) return;
  out_ += "  ---\n";
  // A string of JSON is one of YAML, too.
  for (const TapDetail& detail : details)
    if (!detail.value.empty())
      out_ += concat("  ", detail.name, ": ", libconf::json_quote(detail.value), "\n");
  out_ += "  ...\n";
}

}  // namespace cli
