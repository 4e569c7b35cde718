/// What postconf prints: collected, and written at once.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "tools/cli/console.h"
#include "tools/postconf/command_line.h"

namespace postconf {

/// How names and values are shown (-f, -h, -H, -j).
struct Format {
  bool fold = false;
  bool names_only = false;
  bool values_only = false;
  bool json = false;

  static Format of(const Options& options) {
    return {.fold = options.has('f'),
            .names_only = options.has('H'),
            .values_only = options.has('h'),
            .json = options.has('j')};
  }
};

/// Appends `name = value` to `out` in the given format, with a newline. Outside JSON, blanks in the value
/// collapse.
void append_setting(std::string& out, std::string_view name, std::string_view value, const Format& format);

/// Prints each diagnostic as it comes: "postconf: warning: TEXT".
class WarningPrinter final : public cli::MessagePrinter {
 public:
  /// `quiet` (-q) leaves out warnings of unused and deprecated parameters.
  WarningPrinter(std::ostream& err, bool quiet) : MessagePrinter("postconf", err), quiet_(quiet) {}
  void report(libconf::Diagnostic diagnostic) override;

 private:
  bool quiet_;
};

}  // namespace postconf
