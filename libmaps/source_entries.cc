#include "libmaps/source_entries.h"

#include <algorithm>
#include <numeric>

#include "libconf/text.h"
#include "libmaps/alias_source.h"
#include "libmaps/file_value.h"
#include "libmaps/key_sort.h"
#include "libmaps/map_source.h"
#include "libmaps/utf8.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::Diagnostic;
using libconf::DiagnosticSink;

/// Reads lines into entries; holds what one line needs.
class EntryReader {
 public:
  EntryReader(SourceReader& source, const SourceOptions& options, DiagnosticSink& warnings)
      : source_(source), options_(options), warnings_(warnings) {}

  /// The entry of `line`; false: it says none, and a warning says why.
  bool read(const SourceLine& line) {
    if (line.is_orphan()) {
      warn(line, "orphan-line", source_.orphan_message(line));
      return false;
    }
    if (options_.utf8 && !is_utf8(line.text)) {
      warn(line, "not-utf8-line",
           concat(source_.place(line), ": non-UTF-8 input \"", line.text, "\" -- ignoring this line"));
      return false;
    }
    if (!(options_.format == SourceFormat::kMap ? read_map(line) : read_alias(line))) return false;
    if (options_.values_are_files && !read_files(line)) return false;
    if (options_.fold_keys && !is_folded_ascii(key_)) {
      folded_ = options_.utf8 ? fold_unicode(key_) : fold_ascii(key_);
      key_ = folded_;
    }
    return true;
  }

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  void warn(const SourceLine& line, std::string_view code, std::string message) {
    warnings_.report(
        {.file = source_.name(), .line = line.first, .code = code, .message = std::move(message)});
  }

  bool read_map(const SourceLine& line) {
    const Result<MapLine> parsed = parse_map_line(line.text);
    if (!parsed) {
      const std::string& message = parsed.error().message;
      const std::string_view note = message == kNoValueMessage ? options_.bad_line_note : "";
      warn(line, "bad-line", concat(source_.place(line), ": ", message, note));
      return false;
    }
    if (parsed->looks_like_alias())
      warn(line, "alias-format", concat(source_.place(line), ": ", kAliasFormatWarning));
    key_ = parsed->key;
    value_ = parsed->value;
    return true;
  }

  bool read_alias(const SourceLine& line) {
    if (const auto plain = parse_plain_alias_line(line.text)) {
      key_ = plain->name;
      value_ = plain->value;
      return true;
    }
    Result<AliasLine> parsed = parse_alias_line(line.text);
    if (!parsed) {
      warn(line, "bad-line", concat(source_.place(line), ": ", parsed.error().message));
      return false;
    }
    alias_ = std::move(*parsed);
    key_ = alias_.name;
    value_ = alias_.value;
    return true;
  }

  bool read_files(const SourceLine& line) {
    Result<std::string> encoded = encode_files(value_);
    if (!encoded) {
      warn(line, "unreadable-file",
           concat(source_.place(line), ": ", encoded.error().message, ": skipping this entry"));
      return false;
    }
    encoded_ = std::move(*encoded);
    value_ = encoded_;
    return true;
  }

  SourceReader& source_;
  const SourceOptions& options_;
  DiagnosticSink& warnings_;
  std::string_view key_;
  std::string_view value_;
  AliasLine alias_;
  std::string folded_;
  std::string encoded_;
};

/// Holds warnings back, to report them in the order of lines.
class OrderedWarnings final : public DiagnosticSink {
 public:
  void report(Diagnostic diagnostic) override { items_.push_back(std::move(diagnostic)); }

  void forward(DiagnosticSink& sink) {
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
    for (Diagnostic& item : items_) sink.report(std::move(item));
  }

 private:
  std::vector<Diagnostic> items_;
};

}  // namespace

Result<void> for_each_entry(SourceReader& source, const SourceOptions& options, DiagnosticSink& warnings,
                            const SourceVisitor& visit) {
  EntryReader reader(source, options, warnings);
  while (const std::optional<SourceLine> line = source.next()) {
    if (!reader.read(*line)) continue;
    if (Result<void> visited = visit(*line, reader.key(), reader.value()); !visited) return visited;
  }
  return {};
}

std::string_view TextStore::keep(std::string_view text) {
  constexpr std::size_t kBlock = std::size_t{1} << 18;
  if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < text.size()) {
    blocks_.emplace_back();
    blocks_.back().reserve(std::max(kBlock, text.size()));
  }
  std::string& block = blocks_.back();
  const std::size_t offset = block.size();
  block += text;
  return std::string_view(block).substr(offset);
}

SourceEntries SourceEntries::read(SourceReader source, const SourceOptions& options, Duplicates duplicates,
                                  std::string_view label, DiagnosticSink& warnings) {
  SourceEntries result(std::move(source));
  OrderedWarnings ordered;
  // Growing would move all entries again and again; what is not needed of the room never becomes memory.
  constexpr std::size_t kUsualLine = 32;
  constexpr std::size_t kMostReserved = std::size_t{1} << 24;
  const std::size_t expected = std::min(result.source_.size() / kUsualLine, kMostReserved);
  std::vector<Entry> all;
  all.reserve(expected);
  std::vector<int> lines;
  lines.reserve(expected);
  // A visitor that never fails.
  static_cast<void>(for_each_entry(
      result.source_, options, ordered,
      [&](const SourceLine& line, std::string_view key, std::string_view value) -> Result<void> {
        all.push_back({result.texts_.keep(result.source_, key), result.texts_.keep(result.source_, value)});
        lines.push_back(line.first);
        return {};
      }));

  result.entries_.reserve(all.size());
  for (const auto& [index, is_again] : sort_by_key(all)) {
    const Entry& entry = all[index];
    if (!is_again) {
      result.entries_.push_back(entry);
    } else if (duplicates == Duplicates::kReplace) {
      result.entries_.back() = entry;
    } else if (duplicates == Duplicates::kWarn) {
      ordered.report({.file = result.source_.name(),
                      .line = lines[index],
                      .code = "duplicate-entry",
                      .message = concat(label, ": duplicate entry: \"", entry.key, "\"")});
    }
  }
  ordered.forward(warnings);
  return result;
}

void SourceEntries::add(std::string_view key, std::string_view value) {
  const auto place = std::lower_bound(entries_.begin(), entries_.end(), key,
                                      [](const Entry& entry, std::string_view k) { return entry.key < k; });
  if (place == entries_.end() || place->key != key) entries_.insert(place, {key, value});
}

}  // namespace libmaps
