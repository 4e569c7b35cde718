/// Tables of Berkeley DB in values: any text can be looked at, and one in which the types were replaced has
/// no more of them.
#include <cstdint>
#include <string>

#include "tests/fuzz/property.h"
#include "tools/postconf/database_types.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  for (const postconf::AheadOfTable ahead :
       {postconf::AheadOfTable::kValue, postconf::AheadOfTable::kCommand}) {
    std::string changed;
    std::size_t done = 0;
    for (const postconf::DatabaseUse& use : postconf::database_uses(text, ahead)) {
      require(use.offset >= done, "uses are in order, and apart");
      require(use.table.size() > use.type.size() + 1, "a table has a name");
      changed.append(text.substr(done, use.offset - done)).append("lmdb");
      done = use.offset + use.type.size();
    }
    changed += text.substr(done);
    require(postconf::database_uses(changed, ahead).empty(), "a changed text has nothing to change");
  }
  static_cast<void>(postconf::refers_to(text, "db", ":"));
  return 0;
}
