// Right-hand sides of aliases and .forward files of any bytes: each ends, no item is longer than the text
// allows, and lines say the same together as one by one.
#include <algorithm>

#include "tests/fuzz/property.h"
#include "tools/mta/delivery/alias_items.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const std::vector<mta::AliasItem> items = mta::parse_alias_items(text);
  require(items.size() <= size, "each item has a character of its own");
  for (const mta::AliasItem& item : items) {
    // Quotes and backslashes may be added to each character of an address.
    require(item.text.size() <= 2 * size + 4, "no item is longer than the text");
    require(item.kind != mta::AliasItemKind::kFile || item.text.starts_with('/'), "a file has a whole path");
  }
  std::vector<mta::AliasItem> one_by_one;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = take_first_line(rest);
    if (line.starts_with('#')) continue;
    for (mta::AliasItem& item : mta::parse_alias_items(line)) one_by_one.push_back(std::move(item));
  }
  require(mta::parse_alias_file(text) == one_by_one, "a file is its lines");
  return 0;
}
