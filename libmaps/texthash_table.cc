#include "libmaps/texthash_table.h"

#include <functional>
#include <vector>

#include "libconf/text.h"
#include "libmaps/map_source.h"
#include "libmaps/source_entries.h"

namespace libmaps {
namespace {

using libconf::concat;

/// Entries in the order of the source, and an index of them: open addressing, a power of two of slots, at
/// least half of them empty. A slot has the upper half of a key's hash, and the number of its entry plus one.
class TextHash final : public IterableTable {
 public:
  TextHash(std::string name, SourceReader source)
      : IterableTable(std::move(name)), source_(std::move(source)) {}

  void load(const TableContext& context) {
    const SourceOptions options{.fold_keys = context.options.fold_keys,
                                .utf8 = context.options.utf8,
                                .bad_line_note = " -- ignoring this line",
                                .values_are_files = context.options.load_files};
    // A visitor that never fails.
    static_cast<void>(for_each_entry(
        source_, options, context.warnings,
        [&](const SourceLine& line, std::string_view key, std::string_view value) -> Result<void> {
          if (add(key, value)) return {};
          const std::string_view written = parse_map_line(line.text)->key;
          context.warnings.report(
              {.file = source_.name(),
               .line = line.first,
               .code = "duplicate-entry",
               .message = concat(source_.place(line), ": duplicate entry: \"", written, "\"")});
          return {};
        }));
  }

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const Slot slot = slots_.empty() ? 0 : slots_[find(key, hash(key))];
    if (slot == 0) return std::optional<std::string>();
    return std::optional(std::string(entry(slot).value));
  }

  Result<void> for_each(const EntryVisitor& visit) override {
    for (const Entry& entry : entries_)
      if (Result<void> visited = visit(entry.key, entry.value); !visited) return visited;
    return {};
  }

 private:
  using Slot = std::uint64_t;

  static std::uint32_t hash(std::string_view key) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(key) >> 32);
  }
  const Entry& entry(Slot slot) const { return entries_[static_cast<std::uint32_t>(slot) - 1]; }

  /// The slot of `key`, or the empty one where it belongs. REQUIRES: there is an empty slot.
  std::size_t find(std::string_view key, std::uint32_t key_hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = key_hash & mask;; i = (i + 1) & mask) {
      if (slots_[i] == 0) return i;
      if (slots_[i] >> 32 == key_hash && entry(slots_[i]).key == key) return i;
    }
  }

  bool add(std::string_view key, std::string_view value) {
    if (slots_.size() < 2 * (entries_.size() + 1)) grow();
    const std::uint32_t key_hash = hash(key);
    const std::size_t place = find(key, key_hash);
    if (slots_[place] != 0) return false;
    entries_.push_back({texts_.keep(source_, key), texts_.keep(source_, value)});
    slots_[place] = Slot{key_hash} << 32 | entries_.size();
    return true;
  }

  void grow() {
    std::vector<Slot> old(std::max<std::size_t>(slots_.size() * 2, 64));
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const Slot slot : old) {
      if (slot == 0) continue;
      std::size_t i = (slot >> 32) & mask;
      while (slots_[i] != 0) i = (i + 1) & mask;
      slots_[i] = slot;
    }
  }

  SourceReader source_;
  TextStore texts_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;
};

}  // namespace

Result<std::unique_ptr<IterableTable>> open_texthash(std::string_view name, const TableContext& context) {
  Result<SourceReader> source = SourceReader::open_file(std::string(name));
  if (!source) {
    Error error = source.error();
    constexpr std::string_view kOpen = "open ";
    if (error.message.starts_with(kOpen)) error.message.insert(kOpen.size(), "database ");
    return error;
  }
  auto table = std::make_unique<TextHash>(concat("texthash:", name), std::move(*source));
  table->load(context);
  return table;
}

}  // namespace libmaps
