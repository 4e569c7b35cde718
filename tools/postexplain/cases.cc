#include "tools/postexplain/cases.h"

#include <algorithm>

#include "libconf/text.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Result;

/// Takes a word off the front of `rest`, which does not begin with a blank. False: a quote has no end.
bool take_word(std::string_view& rest, std::string& word) {
  char quote = '\0';
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quote == '\0' && libconf::kBlanks.find(c) != std::string_view::npos) break;
    if (c == '\\' && quote != '\'' && i + 1 < rest.size()) {
      word += rest[++i];
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else {
      word += c;
    }
  }
  rest.remove_prefix(i);
  return quote == '\0';
}

}  // namespace

Result<std::vector<Case>> parse_cases(std::string_view text, std::string_view file) {
  std::vector<Case> cases;
  int number = 0;
  while (!text.empty()) {
    ++number;
    std::string_view rest = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(rest.size() + 1, text.size()));
    Case next{.line = number};
    for (rest = libconf::trim(rest); !rest.empty(); rest = libconf::trim(rest)) {
      if (rest.starts_with('#')) {
        next.name = libconf::trim(rest.substr(1));
        break;
      }
      std::string word;
      if (!take_word(rest, word))
        return libconf::Error{
            .kind = libconf::ErrorKind::kSyntax,
            .message = concat(file, ", line ", std::to_string(number), ": unbalanced quote"),
            .file = std::string(file),
            .line = number};
      next.arguments.push_back(std::move(word));
    }
    if (!next.arguments.empty()) cases.push_back(std::move(next));
  }
  return cases;
}

}  // namespace postexplain
