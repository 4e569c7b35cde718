// Answers of the outside world in a file (postexplain --dns): whatever else it says, a line counts.
#include <string>

#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/postexplain/answers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const auto answers = postexplain::Answers::parse(text, "answers");
  if (!answers) {
    require(answers.error().message.starts_with("answers, line "), "a mistake has its line");
    return 0;
  }
  auto more = postexplain::Answers::parse(
      libconf::concat(text, "\npolicy inet:h:1: REJECT x\nadded.example A 192.0.2.1\n"), "answers");
  require(more.has_value(), "lines are read one by one");
  require(more->of("policy", "inet:h:1") == "REJECT x", "the last line counts");
  for (const auto name : {"inet:h:2", ""})
    require(more->of("milter", name) == answers->of("milter", name), "a line says nothing of other services");
  return 0;
}
