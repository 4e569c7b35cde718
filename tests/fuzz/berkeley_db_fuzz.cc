// Any bytes, read as a Berkeley DB file: reading ends, and of a file whose structure is sound all that is
// listed is found.
#include "libmaps/berkeley_db_index.h"
#include "tests/fuzz/property.h"

using namespace libmaps;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BerkeleyDbKind kind = data[0] % 2 == 0 ? BerkeleyDbKind::kHash : BerkeleyDbKind::kBtree;
  const auto file = BerkeleyDbIndex::over(as_text(data + 1, size - 1), kind);
  if (!file) return 0;
  std::string scratch;
  for (const std::string_view key : {"", "key", "user@example.com"}) {
    static_cast<void>(file->find(key, scratch));
  }
  const bool is_sound = file->check_structure().has_value();
  const Result<void> listed = file->for_each([&](std::string_view key, std::string_view) -> Result<void> {
    const auto found = file->find(key, scratch);
    require(!is_sound || (found && found->has_value()), "what a sound file lists is found");
    return {};
  });
  require(listed || !is_sound, "a sound file can be listed");
  return 0;
}
