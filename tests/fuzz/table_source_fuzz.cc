/// Sources of tables and of alias databases: any bytes give sorted entries, each key once, and an alias that
/// is written again says the same.
#include <algorithm>
#include <cstdint>
#include <string>

#include "libmaps/source_entries.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned flags = data[0];
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const libmaps::SourceOptions options{
      .format = (flags & 1) != 0 ? libmaps::SourceFormat::kAliases : libmaps::SourceFormat::kMap,
      .fold_keys = (flags & 2) != 0,
      .utf8 = (flags & 4) != 0};
  libconf::DiagnosticDiscard warnings;
  const auto entries =
      libmaps::SourceEntries::read(libmaps::SourceReader::from_text("t", text), options,
                                   static_cast<libmaps::Duplicates>(flags >> 3 & 1), "t", warnings);
  const auto sorted = entries.sorted();
  require(std::adjacent_find(sorted.begin(), sorted.end(),
                             [](const auto& a, const auto& b) { return a.key >= b.key; }) == sorted.end(),
          "entries are sorted, each key once");

  return 0;
}
