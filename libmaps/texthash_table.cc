#include "libmaps/texthash_table.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "libconf/text.h"
#include "libmaps/map_source.h"
#include "libmaps/source_entries.h"

namespace libmaps {
namespace {

using libconf::concat;

/// Entries in the order of the source, and an index of them: open addressing, a power of two of slots, at
/// least half of them empty.
///
/// The entries lie one after the other as "KEY\0VALUE\0", since no line has a NUL. They are copies: the table
/// stays what it was when it was opened, whatever becomes of the file.
class TextHash final : public IterableTable {
 public:
  explicit TextHash(std::string name) : IterableTable(std::move(name)) {}

  /// Errors: kUnsupported, the source has more than fits.
  Result<void> load(SourceReader source, const TableContext& context) {
    const SourceOptions options{.fold_keys = context.options.fold_keys,
                                .utf8 = context.options.utf8,
                                .bad_line_note = " -- ignoring this line",
                                .values_are_files = context.options.load_files};
    source.read_once();
    // Room for all in one piece; what is not needed of it never becomes memory. A size may be anything.
    constexpr std::size_t kMostReserved = std::size_t{1} << 30;
    text_.reserve(std::min(source.size(), kMostReserved));
    return for_each_entry(
        source, options, context.warnings,
        [&](const SourceLine& line, std::string_view key, std::string_view value) -> Result<void> {
          if (text_.size() >= kOffsetMask)
            return Error{.kind = ErrorKind::kUnsupported, .message = concat(name(), ": table is too large")};
          if (add(key, value)) return {};
          const std::string_view written = parse_map_line(line.text)->key;
          context.warnings.report(
              {.file = source.name(),
               .line = line.first,
               .code = "duplicate-entry",
               .message = concat(source.place(line), ": duplicate entry: \"", written, "\"")});
          return {};
        });
  }

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const bool can_be_there = count_ > 0 && key.find('\0') == std::string_view::npos;
    const Slot slot = can_be_there ? slots_[find(key, hash(key))] : kEmpty;
    if (slot == kEmpty) return std::optional<std::string>();
    return std::optional(std::string(&text_[offset(slot) + key.size() + 1]));
  }

  Result<void> for_each(const EntryVisitor& visit) override {
    for (std::string_view rest = text_; !rest.empty();) {
      const std::string_view key = take_text(rest);
      const std::string_view value = take_text(rest);
      if (Result<void> visited = visit(key, value); !visited) return visited;
    }
    return {};
  }

 private:
  /// The upper bits of a key's hash, and below them where its entry begins in the text, plus one.
  using Slot = std::uint64_t;
  static constexpr Slot kEmpty = 0;
  static constexpr int kOffsetBits = 36;
  static constexpr Slot kOffsetMask = (Slot{1} << kOffsetBits) - 1;

  static Slot hash(std::string_view key) { return std::hash<std::string_view>()(key) & ~kOffsetMask; }
  static std::size_t offset(Slot slot) { return (slot & kOffsetMask) - 1; }

  static std::string_view take_text(std::string_view& rest) {
    const std::string_view text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(text.size() + 1);
    return text;
  }

  /// REQUIRES: `key` has no NUL.
  bool has_key(Slot slot, std::string_view key) const {
    const std::string_view text = std::string_view(text_).substr(offset(slot));
    return text.starts_with(key) && text[key.size()] == '\0';
  }

  /// Where a search for a key begins. REQUIRES: there are slots.
  std::size_t first_place(Slot hash) const { return (hash >> kOffsetBits) & (slots_.size() - 1); }

  /// The slot of `key`, or the empty one where it belongs. REQUIRES: there is an empty slot.
  std::size_t find(std::string_view key, Slot key_hash) const {
    for (std::size_t i = first_place(key_hash);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] == kEmpty) return i;
      if ((slots_[i] & ~kOffsetMask) == key_hash && has_key(slots_[i], key)) return i;
    }
  }

  bool add(std::string_view key, std::string_view value) {
    if (slots_.size() < 2 * (count_ + 1)) grow();
    const Slot key_hash = hash(key);
    const std::size_t place = find(key, key_hash);
    if (slots_[place] != kEmpty) return false;
    slots_[place] = key_hash | (text_.size() + 1);
    ++count_;
    text_.append(key).push_back('\0');
    text_.append(value).push_back('\0');
    return true;
  }

  void grow() {
    std::vector<Slot> old(std::max<std::size_t>(slots_.size() * 2, 64));
    old.swap(slots_);
    for (const Slot slot : old) {
      if (slot == kEmpty) continue;
      std::size_t i = first_place(slot);
      while (slots_[i] != kEmpty) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::string text_;
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
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
  auto table = std::make_unique<TextHash>(concat("texthash:", name));
  if (const Result<void> loaded = table->load(std::move(*source), context); !loaded) return loaded.error();
  return table;
}

}  // namespace libmaps
