#include "tools/postmap/compare.h"

#include <algorithm>
#include <vector>

namespace postmap {
namespace {

using libconf::Result;
using libmaps::Entry;

/// What older postalias programs note in an index beside the aliases.
constexpr std::string_view kNotes[] = {"YP_LAST_MODIFIED", "YP_MASTER_NAME"};

bool is_note(std::string_view key) {
  return std::find(std::begin(kNotes), std::end(kNotes), key) != std::end(kNotes);
}

}  // namespace

std::string_view to_string(Difference difference) {
  constexpr std::string_view kTexts[] = {"another value in the source", "not in the source",
                                         "not in the index"};
  return kTexts[static_cast<std::size_t>(difference)];
}

Result<void> compare_index(
    const Session& session, libmaps::TableSpec spec, const Recipe& recipe,
    const std::function<void(std::string_view index, Difference difference, std::string_view key)>& visit) {
  Result<libmaps::SourceReader> source = libmaps::SourceReader::open_file(std::string(spec.name));
  if (!source) return source.error();
  // The texts of a message are the same with -F: the index is compared as it is.
  libmaps::TableContext context = session.context();
  context.options.decode_files = false;
  auto index = libmaps::open_iterable(spec, context);
  if (!index) return index.error();

  libconf::DiagnosticDiscard known;  // Postmap said it when it built the index.
  const libmaps::SourceEntries expected = read_entries(std::move(*source), recipe, "", known);
  const std::span<const Entry> entries = expected.sorted();
  std::vector<bool> is_there(entries.size());
  const auto report = [&](Difference difference, std::string_view key) {
    visit((*index)->name(), difference, key);
  };
  const Result<void> listed =
      (*index)->for_each([&](std::string_view key, std::string_view value) -> Result<void> {
        const auto entry = std::lower_bound(entries.begin(), entries.end(), key,
                                            [](const Entry& e, std::string_view k) { return e.key < k; });
        if (entry == entries.end() || entry->key != key) {
          if (!is_note(key)) report(Difference::kNotInSource, key);
          return {};
        }
        is_there[static_cast<std::size_t>(entry - entries.begin())] = true;
        if (entry->value != value) report(Difference::kOtherValue, key);
        return {};
      });
  if (!listed) return listed;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!is_there[i]) report(Difference::kNotInIndex, entries[i].key);
  return {};
}

}  // namespace postmap
