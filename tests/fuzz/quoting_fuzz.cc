// Quoting: for every text, unquote(quote(text)) is the text; and what is external is read without harm.
#include "tests/fuzz/property.h"
#include "tools/mta/address/quoting.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  require(mta::unquote_address(mta::quote_address(text)) == text, "unquote(quote(x)) == x");
  const std::string internal = mta::unquote_address(text);
  require(mta::unquote_address(mta::quote_address(internal)) == internal, "the same for what was external");
  return 0;
}
