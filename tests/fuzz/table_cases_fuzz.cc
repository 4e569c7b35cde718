/// Files of test cases for tables: any text is read or gives an error with a line; what is read, written
/// again, is the same.
#include <cstdint>
#include <string>

#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/postmap/table_cases.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cases = postmap::parse_cases(as_text(data, size), "x.test");
  if (!cases) {
    require(cases.error().line > 0, "an error has a line");
    return 0;
  }
  for (const postmap::TableCase& each : *cases) {
    const std::string text = to_string(each);
    const auto again = postmap::parse_cases(text, "x.test");
    require(again && again->size() == 1, "a case that is written can be read");
    const postmap::TableCase& other = again->front();
    require(other.key == each.key && other.keys == each.keys && other.via == each.via, "its key is the same");
    require(other.expected.kind == each.expected.kind && other.expected.text == each.expected.text,
            "its result is the same");
  }
  return 0;
}
