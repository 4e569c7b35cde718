#include <memory>
#include <vector>

#include "libconf/text.h"
#include "libmaps/open.h"
#include "tools/postmap/line_input.h"
#include "tools/postmap/modes.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;
using libmaps::WritableTable;

Result<std::unique_ptr<WritableTable>> open_table(Session& session, std::string_view text) {
  const Result<libmaps::TableSpec> spec = session.parse_table(text);
  if (!spec) return spec.error();
  return libmaps::open_writable(*spec, libmaps::IfAbsent::kFail, session.context());
}

Result<bool> remove(WritableTable& table, std::string_view key) {
  Result<bool> removed = table.remove(key);
  if (removed) return removed;
  Error error = removed.error();
  error.message = concat("table ", table.name(), ": delete error: ", error.message);
  return error;
}

}  // namespace

Result<int> delete_key(Session& session) {
  bool found = false;
  for (const std::string& text : session.options().tables) {
    auto table = open_table(session, text);
    if (!table) return table.error();
    const Result<bool> removed = remove(**table, *session.options().remove);
    if (!removed) return removed.error();
    found |= *removed;
    if (Result<void> finished = (*table)->finish(); !finished) return finished.error();
  }
  return found ? 0 : 1;
}

Result<int> delete_keys(Session& session) {
  std::vector<std::unique_ptr<WritableTable>> tables;
  for (const std::string& text : session.options().tables) {
    auto table = open_table(session, text);
    if (!table) return table.error();
    tables.push_back(std::move(*table));
  }
  bool found = false;
  Result<void> done =
      for_each_block_of_lines(session.input(), [&](std::span<const std::string_view> keys) -> Result<void> {
        for (const std::string_view key : keys) {
          for (const std::unique_ptr<WritableTable>& table : tables) {
            const Result<bool> removed = remove(*table, key);
            if (!removed) return removed.error();
            found |= *removed;
          }
        }
        return {};
      });
  for (const std::unique_ptr<WritableTable>& table : tables)
    if (Result<void> finished = table->finish(); done && !finished) done = finished;
  if (!done) return done.error();
  return found ? 0 : 1;
}

}  // namespace postmap
