// LMDB files of any bytes: what the reader lists, it finds; what it checks, it lists.
#include "libmaps/lmdb_tree.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const libmaps::Result<libmaps::LmdbTree> tree = libmaps::LmdbTree::over(as_text(data, size));
  if (!tree) return 0;
  static_cast<void>(tree->find("").has_value());
  static_cast<void>(tree->find("ann@example.com").has_value());
  const libmaps::Result<void> listed =
      tree->for_each([&](std::string_view key, std::string_view) -> libmaps::Result<void> {
        const auto found = tree->find(key);
        require(!found || found->has_value(), "what is listed is found");
        return {};
      });
  require(listed || !tree->check(), "what is sound can be listed");
  return 0;
}
