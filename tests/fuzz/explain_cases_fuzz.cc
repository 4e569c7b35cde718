// Files of cases (postexplain --cases): words that are quoted are read back as they were.
#include <string>

#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/postexplain/cases.h"

namespace {

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word)
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  return out + "'";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cases = postexplain::parse_cases(as_text(data, size), "cases");
  if (!cases) {
    require(cases.error().message.starts_with("cases, line "), "a mistake has its line");
    return 0;
  }
  std::string text;
  for (const postexplain::Case& each : *cases) {
    for (const std::string& word : each.arguments) text += libconf::concat(quoted(word), " ");
    text += "\n";
  }
  const auto again = postexplain::parse_cases(text, "again");
  require(again.has_value() && again->size() == cases->size(), "all lines are read back");
  for (std::size_t i = 0; i < cases->size(); ++i)
    require((*again)[i].arguments == (*cases)[i].arguments, "words are read back");
  return 0;
}
