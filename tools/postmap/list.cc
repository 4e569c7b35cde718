#include "libconf/text.h"
#include "libmaps/open.h"
#include "tools/postmap/answer.h"
#include "tools/postmap/modes.h"

namespace postmap {

using libconf::concat;
using libconf::Error;
using libconf::Result;

// The output is collected while the table is locked, and goes out afterwards: whoever reads it slowly does
// not hold up a writer.
Result<int> list_entries(Session& session) {
  const Result<libmaps::TableSpec> spec = session.parse_table(session.options().tables[0]);
  if (!spec) return spec.error();
  if (spec->type == "proxy") return refuse_proxy("sequence");
  auto table = libmaps::open_iterable(*spec, session.context());
  if (!table) return table.error();
  std::string& out = session.output().text();
  const Result<void> listed =
      (*table)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
        if (value.empty()) warn_of_empty_value(session, session.options().tables[0], key);
        append_answer(out, session, key, value);
        return {};
      });
  if (listed) return 0;
  Error error = listed.error();
  error.message = concat("table ", (*table)->name(), ": sequence error: ", error.message);
  return error;
}

}  // namespace postmap
