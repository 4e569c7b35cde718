// Headers with addresses: any value is taken; a rewriting that changes nothing leaves the header alone; what
// we write has the same addresses when it is read again, and grows within bounds.
#include "tests/fuzz/property.h"
#include "tools/mta/address/header_address.h"

namespace {

using libconf::Result;

constexpr std::size_t kLimit = 200;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = as_text(data, size);
  std::vector<std::string> seen;
  const auto same = mta::rewrite_header_addresses("To", value, kLimit, [&](std::string_view address) {
    seen.emplace_back(address);
    return Result<std::string>(std::string(address));
  });
  require(same && !*same, "the identity changes nothing");
  std::size_t count = 0;
  for (const std::string& address : mta::header_addresses(value, kLimit)) {
    require(!address.empty(), "an address is not empty");
    ++count;
  }
  require(count == seen.size() && count <= kLimit, "all addresses are rewritten, and no more than tokens");

  const auto changed = mta::rewrite_header_addresses("To", value, kLimit, [](std::string_view) {
    return Result<std::string>(std::string("user@example.com"));
  });
  require(changed.has_value(), "rewriting does not fail");
  if (!*changed) return 0;
  // Quotes and backslashes at most double a text; blanks, commas and folds come with tokens.
  require((*changed)->size() <= 2 * value.size() + 20 * (kLimit + count), "the result is bounded");
  return 0;
}
