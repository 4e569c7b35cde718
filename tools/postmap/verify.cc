#include <algorithm>
#include <vector>

#include "libconf/text.h"
#include "libmaps/index_build.h"
#include "libmaps/open.h"
#include "tools/postmap/build.h"
#include "tools/postmap/modes.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;
using libmaps::Entry;
using libmaps::TableSpec;

/// What older postalias programs note in an index beside the aliases.
constexpr std::string_view kNotes[] = {"YP_LAST_MODIFIED", "YP_MASTER_NAME"};

bool is_note(std::string_view key) {
  return std::find(std::begin(kNotes), std::end(kNotes), key) != std::end(kNotes);
}

/// Compares an index with what its source says. Prints each difference; returns whether there was none.
Result<bool> verify(Session& session, TableSpec spec) {
  const libmaps::TableType* type = libmaps::find_table_type(spec.type);
  if (type == nullptr || !type->has_index())
    return Error{.kind = libconf::ErrorKind::kConfiguration,
                 .message = concat("table ", spec.type, ":", spec.name, " has no index to verify")};
  Result<libmaps::SourceReader> source = libmaps::SourceReader::open_file(std::string(spec.name));
  if (!source) return source.error();
  // The texts of a message are the same with -F: the index is compared as it is.
  libmaps::TableContext context = session.context();
  context.options.decode_files = false;
  auto index = libmaps::open_iterable(spec, context);
  if (!index) return index.error();

  libconf::DiagnosticDiscard known;  // Postmap said it when it built the index.
  const libmaps::SourceEntries expected =
      read_entries(std::move(*source),
                   {.source = session.source_options(), .duplicates = session.duplicates()}, "", known);
  const std::span<const Entry> entries = expected.sorted();
  std::vector<bool> is_there(entries.size());
  bool is_equal = true;
  const auto report = [&](std::string_view what, std::string_view key) {
    is_equal = false;
    session.output().text() += concat((*index)->name(), ": ", what, ": ", key, "\n");
  };
  const Result<void> listed =
      (*index)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
        const auto entry = std::lower_bound(entries.begin(), entries.end(), key,
                                            [](const Entry& e, std::string_view k) { return e.key < k; });
        if (entry == entries.end() || entry->key != key) {
          if (!is_note(key)) report("not in the source", key);
          return {};
        }
        is_there[static_cast<std::size_t>(entry - entries.begin())] = true;
        if (entry->value != value) report("another value in the source", key);
        return {};
      });
  if (!listed) return listed.error();
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!is_there[i]) report("not in the index", entries[i].key);
  return is_equal;
}

}  // namespace

Result<int> verify_tables(Session& session) {
  bool all_equal = true;
  const Result<std::vector<std::string>> tables = session.tables_to_build();
  if (!tables) return tables.error();
  for (const std::string& text : *tables) {
    const Result<TableSpec> spec = session.parse_table(text);
    if (!spec) return spec.error();
    const Result<bool> is_equal = verify(session, *spec);
    if (!is_equal) return is_equal.error();
    all_equal &= *is_equal;
  }
  return all_equal ? 0 : 1;
}

}  // namespace postmap
