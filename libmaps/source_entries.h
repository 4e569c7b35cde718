/// From a table's source to its entries: what postmap(1) and postalias(1) do with each line.
///
///     auto reader = SourceReader::open_file("virtual");
///     auto entries = SourceEntries::read(std::move(*reader), {.format = SourceFormat::kMap}, sink);
///     build_index(..., entries->sorted());
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libmaps/source_reader.h"
#include "libmaps/table.h"

namespace libmaps {

enum class SourceFormat : std::uint8_t {
  kMap,      ///< `key whitespace value`
  kAliases,  ///< `name: value, value...`
};

struct SourceOptions {
  SourceFormat format = SourceFormat::kMap;
  bool fold_keys = true;  ///< Keys are stored in lower case (not -f).
  bool utf8 = false;      ///< Lines that are not UTF-8 are left out, and keys are folded as Unicode has it.
  std::string_view bad_line_note = {};  ///< Ends the warning of a line that has no value.
  bool values_are_files = false;        ///< Values name files, whose contents are stored in base64 (-F).
};

/// Where an entry goes. The views live as long as `line` does. An error ends the reading.
using SourceVisitor =
    std::function<Result<void>(const SourceLine& line, std::string_view key, std::string_view value)>;

/// Visits the entries of a source in its order. Lines that say none are left out, with a warning each.
/// Errors: only those of `visit`.
Result<void> for_each_entry(SourceReader& source, const SourceOptions& options,
                            libconf::DiagnosticSink& warnings, const SourceVisitor& visit);

/// What to do when a key comes again.
enum class Duplicates : std::uint8_t {
  kWarn,     ///< The first counts; a warning names the key.
  kIgnore,   ///< The first counts (-w).
  kReplace,  ///< The last counts (-r).
};

/// Keeps the texts that a visitor of a source wants to have for longer. Not thread-safe.
class TextStore {
 public:
  /// `text`, to live as long as this and `source`.
  std::string_view keep(const SourceReader& source, std::string_view text) {
    return source.owns(text) ? text : keep(text);
  }

 private:
  std::string_view keep(std::string_view text);

  std::deque<std::string> blocks_;  ///< They never grow beyond what they reserve.
};

/// All entries of a source, ready to be built into an index. Movable; not thread-safe.
class SourceEntries {
 public:
  /// Reads it all. `label` names the table in warnings of duplicates. Warnings come in the order of lines.
  static SourceEntries read(SourceReader source, const SourceOptions& options, Duplicates duplicates,
                            std::string_view label, libconf::DiagnosticSink& warnings);

  /// Adds an entry that no line says, unless the key is there. REQUIRES: the texts live as long as this.
  void add(std::string_view key, std::string_view value);

  /// In the order of keys, as memcmp() has it, each key once.
  std::span<const Entry> sorted() const { return entries_; }

 private:
  explicit SourceEntries(SourceReader source) : source_(std::move(source)) {}

  SourceReader source_;  ///< Most views point into its text,
  TextStore texts_;      ///< the others in here.
  std::vector<Entry> entries_;
};

}  // namespace libmaps
