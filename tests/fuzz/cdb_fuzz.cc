// cdb files of any bytes: what the reader lists, it finds.
#include "libmaps/cdb_index.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const libmaps::Result<libmaps::CdbIndex> index = libmaps::CdbIndex::over(as_text(data, size));
  if (!index) return 0;
  static_cast<void>(index->find("").has_value());
  static_cast<void>(index->find("ann@example.com").has_value());
  static_cast<void>(index
                        ->for_each([&](std::string_view key, std::string_view) -> libmaps::Result<void> {
                          const auto found = index->find(key);
                          require(!found || found->has_value(), "what is listed is found");
                          return {};
                        })
                        .has_value());
  return 0;
}
