#include "tools/cli/console.h"

#include "libconf/text.h"

namespace cli {

std::string MessagePrinter::shown(std::string_view message) const {
  return shows_utf8_ ? libconf::printable_utf8(message) : libconf::printable(message);
}

void MessagePrinter::report(libconf::Diagnostic diagnostic) {
  const std::string_view severity = diagnostic.severity == libconf::Severity::kInfo ? "" : "warning: ";
  err_ << program_ << ": " << severity << shown(diagnostic.message) << '\n';
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
