#include "tools/cli/console.h"

#include "libconf/text.h"

namespace cli {

std::string MessagePrinter::shown(std::string_view message) const {
  return shows_utf8_ ? libconf::printable_utf8(message) : libconf::printable(message);
}

void MessagePrinter::report(libconf::Diagnostic diagnostic) {
  static constexpr std::string_view kSeverities[] = {"", "warning: ", "error: "};
  err_ << program_ << ": " << kSeverities[static_cast<std::size_t>(diagnostic.severity)]
       << shown(diagnostic.message) << '\n';
}

void MessagePrinter::fatal(std::string_view message) {
  const std::size_t newline = message.find('\n');
  if (newline != std::string_view::npos) {
    err_ << program_ << ": " << message.substr(0, newline) << '\n';
    message.remove_prefix(newline + 1);
  }
  err_ << program_ << ": fatal: " << shown(message) << '\n';
}

}  // namespace cli
