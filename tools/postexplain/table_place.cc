#include "tools/postexplain/table_place.h"

#include <sys/mman.h>

#include <optional>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "libmaps/open.h"
#include "libmaps/source_entries.h"
#include "libmaps/source_reader.h"
#include "libmaps/table_types.h"
#include "libmaps/utf8.h"
#include "tools/postexplain/table_name.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Result;

std::string at(std::string_view file, int line) { return concat(file, ":", std::to_string(line)); }

/// The line of a source that has `key` and `value`, as it would be stored; 0: none has.
int line_of_entry(const std::string& file, libmaps::SourceFormat format, std::string_view key,
                  std::string_view value) {
  Result<libmaps::SourceReader> source = libmaps::SourceReader::open_file(file);
  if (!source) return 0;
  libconf::DiagnosticDiscard discard;
  int found = 0;
  const std::string folded = libmaps::fold_ascii(key);
  const Result<void> read = libmaps::for_each_entry(
      *source, {.format = format}, discard,
      [&](const libmaps::SourceLine& line, std::string_view each, std::string_view what) -> Result<void> {
        if (found == 0 && (each == key || each == folded) && what == value) found = line.first;
        return {};
      });
  return read ? found : 0;
}

/// The value that a table of rules has for a key, when its source is `text`.
std::optional<std::string> answer_of_rules(std::string_view type, std::string_view text, std::string_view key,
                                           const libconf::Settings& settings) {
  const libconf::FileDescriptor file(::memfd_create("rules", MFD_CLOEXEC));
  if (file.get() < 0 || libconf::write_all(file.get(), text) != 0) return std::nullopt;
  libconf::DiagnosticDiscard discard;
  const auto table = libmaps::open(concat(type, ":/proc/self/fd/", std::to_string(file.get())),
                                   {.settings = settings, .warnings = discard});
  if (!table) return std::nullopt;
  auto value = (*table)->lookup(key);
  return value ? std::move(*value) : std::nullopt;
}

/// The first rule that matches is the last one of the shortest beginning of the source that has an answer. So
/// the table itself says which it is, whatever blocks and negations there are.
std::string place_of_rule(const TableName& table, std::string_view key, const libconf::Settings& settings) {
  Result<libmaps::SourceReader> source = libmaps::SourceReader::open_rules(table.type, table.name);
  if (!source) return {};
  std::vector<int> lines;          // Where each logical line begins,
  std::vector<std::size_t> sizes;  // and how long the text is with it.
  std::string text;
  while (const auto line = source->next()) {
    text += concat(line->text, "\n");
    lines.push_back(line->first);
    sizes.push_back(text.size());
  }
  if (!answer_of_rules(table.type, text, key, settings)) return {};
  std::size_t low = 0;
  std::size_t high = lines.size() - 1;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (answer_of_rules(table.type, std::string_view(text).substr(0, sizes[middle]), key, settings))
      high = middle;
    else
      low = middle + 1;
  }
  return table.name.starts_with('{') ? concat("rule ", std::to_string(low + 1)) : at(table.name, lines[low]);
}

}  // namespace

std::string table_place(std::string_view table, std::string_view key, std::string_view value,
                        const libconf::Settings& settings) {
  const TableName parts = split_table_name(table);
  const libmaps::TableType* const type = libmaps::find_table_type(parts.type);
  if (type == nullptr) return {};
  if (type->keys == libmaps::KeyKind::kPattern && type->reads_file)
    return place_of_rule(parts, key, settings);
  if (!type->reads_file && !type->has_index()) return {};
  for (const auto format : {libmaps::SourceFormat::kMap, libmaps::SourceFormat::kAliases})
    if (const int line = line_of_entry(std::string(parts.name), format, key, value); line > 0)
      return at(parts.name, line);
  return type->has_index() ? "(index)" : "";
}

}  // namespace postexplain
