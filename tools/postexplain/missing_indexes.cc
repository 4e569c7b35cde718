#include "tools/postexplain/missing_indexes.h"

#include <sys/mman.h>
#include <unistd.h>

#include "libconf/diagnostic.h"
#include "libconf/file.h"
#include "libconf/text.h"
#include "libmaps/map_source.h"
#include "libmaps/source_entries.h"
#include "libmaps/source_reader.h"
#include "libmaps/table_types.h"
#include "tools/postexplain/table_name.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Result;
using libmaps::SourceReader;

bool is_there(const std::string& file) { return ::access(file.c_str(), F_OK) == 0; }

/// Whether a file is meant for postalias(1): its first entry says so.
bool is_alias_source(SourceReader source) {
  while (const auto line = source.next()) {
    const Result<libmaps::MapLine> entry = libmaps::parse_map_line(line->text);
    if (entry) return entry->looks_like_alias();
  }
  return false;
}

/// A file in memory with the entries of an alias file as texthash: reads them; -1: there is none.
int convert_aliases(SourceReader source) {
  std::string text;
  libconf::DiagnosticDiscard discard;
  const Result<void> read = libmaps::for_each_entry(
      source, {.format = libmaps::SourceFormat::kAliases}, discard,
      [&](const libmaps::SourceLine&, std::string_view key, std::string_view value) -> Result<void> {
        text += concat("\"", key, "\" ", value, "\n");
        return {};
      });
  libconf::FileDescriptor file(::memfd_create("aliases", MFD_CLOEXEC));
  if (!read || file.get() < 0 || libconf::write_all(file.get(), text) != 0) return -1;
  return file.release();
}

}  // namespace

std::optional<std::string> MissingIndexes::source_of(std::string_view table) {
  const TableName parts = split_table_name(table);
  const libmaps::TableType* const type = libmaps::find_table_type(parts.type);
  if (type == nullptr || !type->has_index()) return std::nullopt;
  const std::string file(parts.name);
  if (is_there(concat(file, type->suffix)) || !is_there(file)) return std::nullopt;
  Result<SourceReader> source = SourceReader::open_file(file);
  Result<SourceReader> again = SourceReader::open_file(file);
  if (!source || !again) return std::nullopt;
  if (!is_alias_source(std::move(*source))) return concat("texthash:", file);
  libconf::FileDescriptor converted(convert_aliases(std::move(*again)));
  if (converted.get() < 0) return std::nullopt;
  sources_.push_back(std::move(converted));
  return concat("texthash:/proc/self/fd/", std::to_string(sources_.back().get()));
}

}  // namespace postexplain
