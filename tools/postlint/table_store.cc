#include "tools/postlint/table_store.h"

#include <algorithm>
#include <array>

#include "libconf/file.h"
#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "libmaps/open.h"
#include "libmaps/source_entries.h"
#include "libmaps/source_reader.h"
#include "libmaps/table_types.h"

namespace postlint {
namespace {

using libconf::concat;
using libconf::Result;

/// In place of a table that nobody here can ask.
constexpr std::string_view kNoEntries = "inline:{postlint.invalid=DUNNO}";

/// Types that need neither a file nor anybody else.
constexpr std::array<std::string_view, 4> kSelfContained = {"fail", "inline", "internal", "static"};

bool is_self_contained(std::string_view type) {
  return std::find(kSelfContained.begin(), kSelfContained.end(), type) != kSelfContained.end();
}

}  // namespace

bool is_file_type(std::string_view type) {
  const libmaps::TableType* row = libmaps::find_table_type(type);
  return row != nullptr && (row->has_index() || row->reads_file);
}

std::optional<std::string> TableStore::spec(std::string_view type, std::string_view name) const {
  if (is_self_contained(type) || (is_file_type(type) && name.starts_with('{')))
    return concat(type, ":", name);
  const libmaps::TableType* row = libmaps::find_table_type(type);
  if (row == nullptr || !is_file_type(type)) return std::nullopt;
  const std::optional<std::string> path = files_.path(name);
  if (!path) return std::nullopt;
  if (files_.state(name) == FileState::kPresent)
    return concat(row->has_index() ? "texthash" : type, ":", *path);
  if (row->has_index() && files_.state(concat(name, row->suffix)) == FileState::kPresent)
    return concat(type, ":", *path);
  return std::nullopt;
}

Result<std::unique_ptr<libmaps::Table>> TableStore::open(std::string_view type, std::string_view name) const {
  const std::optional<std::string> here = spec(type, name);
  if (!here) return std::unique_ptr<libmaps::Table>();
  return libmaps::open(*here, {.settings = settings_, .warnings = discard_});
}

struct TableStore::Source {
  explicit Source(libmaps::SourceReader opened) : reader(std::move(opened)) {}

  libmaps::SourceReader reader;  ///< Most texts are in it,
  libmaps::TextStore texts;      ///< the others in here.
  std::vector<TableEntry> entries;
};

TableStore::TableStore(const FileMap& files, const libconf::Settings& settings)
    : files_(files), settings_(settings) {}

TableStore::~TableStore() = default;

std::span<const TableEntry> TableStore::entries(std::string_view type, std::string_view name,
                                                bool is_alias) const {
  const libmaps::TableType* row = libmaps::find_table_type(type);
  const std::optional<std::string> path = files_.path(name);
  if (row == nullptr || !path || !(row->has_index() || type == "texthash")) return {};
  const std::string key = concat(is_alias ? "aliases " : "map ", *path);
  if (const auto known = sources_.find(key); known != sources_.end())
    return known->second ? std::span<const TableEntry>(known->second->entries)
                         : std::span<const TableEntry>();
  std::unique_ptr<Source>& source = sources_[key];
  Result<libmaps::SourceReader> reader = libmaps::SourceReader::open_file(*path);
  if (!reader) return {};
  source = std::make_unique<Source>(std::move(*reader));
  const Result<void> done = libmaps::for_each_entry(
      source->reader, {.format = is_alias ? libmaps::SourceFormat::kAliases : libmaps::SourceFormat::kMap},
      discard_,
      [&](const libmaps::SourceLine& line, std::string_view entry_key,
          std::string_view value) -> Result<void> {
        source->entries.push_back({source->texts.keep(source->reader, entry_key),
                                   source->texts.keep(source->reader, value), line.first});
        return {};
      });
  static_cast<void>(done);  // The visitor has no errors.
  return source->entries;
}

std::vector<PatternLine> TableStore::pattern_lines(std::string_view type, std::string_view name) const {
  std::vector<PatternLine> out;
  const std::optional<std::string> path =
      name.starts_with('{') ? std::optional(std::string(name)) : files_.path(name);
  if (!path) return out;
  Result<libmaps::SourceReader> reader = libmaps::SourceReader::open_rules(type, *path);
  if (!reader) return out;
  while (const std::optional<libmaps::SourceLine> line = reader->next()) {
    const std::string_view text = line->text;
    const std::size_t open = text.starts_with('!') ? 1 : 0;
    if (text.size() <= open || libconf::is_name_char(text[open]) || libconf::is_space(text[open])) continue;
    std::size_t close = open + 1;
    while (close < text.size() && text[close] != text[open]) close += text[close] == '\\' ? 2 : 1;
    if (close >= text.size()) continue;
    const std::size_t end = std::min(text.find_first_of(libconf::kBlanks, close), text.size());
    out.push_back(
        {std::string(text.substr(0, end)), std::string(libconf::trim(text.substr(end))), line->first});
  }
  return out;
}

std::string TableStore::localized(std::string_view value) const {
  struct Replacement {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };
  std::vector<Replacement> replacements;
  libconf::DiagnosticDiscard discard;
  libconf::for_each_table(value, "main.cf", discard, [&](std::string_view type, std::string_view name) {
    if (libmaps::find_table_type(type) == nullptr) return;
    auto begin = static_cast<std::size_t>(type.data() - value.data());
    constexpr std::string_view kProxy = "proxy:";
    while (begin >= kProxy.size() && value.substr(begin - kProxy.size(), kProxy.size()) == kProxy)
      begin -= kProxy.size();
    const auto end = static_cast<std::size_t>(name.data() + name.size() - value.data());
    replacements.push_back({begin, end, spec(type, name).value_or(std::string(kNoEntries))});
  });
  std::string out(value);
  for (auto each = replacements.rbegin(); each != replacements.rend(); ++each)
    out.replace(each->begin, each->end - each->begin, each->text);
  return out;
}

}  // namespace postlint
