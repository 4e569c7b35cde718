/// A file of cases, for tests of a configuration: a line is options of the command line, in front of a name.
///
///     # who may relay
///     --client 192.0.2.7 --sender a@x --recipient b@y --expect reject      # strangers may not
///     --client 10.1.2.3 --sender a@x --recipient "b c"@y --expect smtp:y   # the office may
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace postexplain {

struct Case {
  std::vector<std::string> arguments;
  std::string name;  ///< Behind '#'; empty: it has none.
  int line = 0;
};

/// Reads a text. Words are divided by blanks; '...' keeps all in it, "..." too, and a backslash there and
/// outside of quotes keeps the next character. Lines without options are passed over. Errors: kSyntax,
/// "FILE, line N: REASON".
libconf::Result<std::vector<Case>> parse_cases(std::string_view text, std::string_view file);

}  // namespace postexplain
