#include "libmaps/cdb_writer.h"

#include <array>
#include <cstring>
#include <vector>

#include "libmaps/cdb_format.h"
#include "libmaps/index_output.h"
#include "libmaps/little_endian.h"

namespace libmaps {
namespace {

struct Slot {
  std::uint32_t hash;
  std::uint32_t position;
};

void store(char* bytes, std::uint32_t first, std::uint32_t second) {
  store_little_endian(bytes, first);
  store_little_endian(bytes + 4, second);
}

/// Writes the records, and returns a slot for each.
Result<std::vector<Slot>> write_records(std::span<const Entry> entries, const IndexOptions& options,
                                        IndexOutput& out) {
  const std::string_view end = options.null_terminated ? std::string_view("\0", 1) : std::string_view();
  const std::uint64_t tables_size = 2 * cdb::kSlotSize * entries.size();
  std::vector<Slot> slots;
  slots.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // In the order of keys, texts lie anywhere in memory.
    if (constexpr std::size_t kAhead = 16; i + kAhead < entries.size()) {
      __builtin_prefetch(entries[i + kAhead].key.data());
      __builtin_prefetch(entries[i + kAhead].value.data());
    }
    const auto& [key, value] = entries[i];
    const std::uint64_t key_size = key.size() + end.size();
    const std::uint64_t value_size = value.size() + end.size();
    const std::uint64_t position = out.position();
    if (position + cdb::kRecordHeaderSize + key_size + value_size + tables_size > cdb::kMaxFileSize) {
      return libconf::configuration_error("the table does not fit into the 4 GiB of a CDB file");
    }
    slots.push_back(
        {.hash = cdb::hash(end, cdb::hash(key)), .position = static_cast<std::uint32_t>(position)});
    store(out.extend(cdb::kRecordHeaderSize), static_cast<std::uint32_t>(key_size),
          static_cast<std::uint32_t>(value_size));
    out.append(key);
    out.append(end);
    out.append(value);
    out.append(end);
  }
  return slots;
}

/// Slots in the order of their tables, and where each table's begin; the last of `starts` is the end.
struct SlotsByTable {
  std::vector<Slot> slots;
  std::array<std::size_t, cdb::kTables + 1> starts{};
};

/// A counting sort: keeps the order within a table, so that the first of several records of a key is found.
SlotsByTable sort_by_table(const std::vector<Slot>& slots) {
  SlotsByTable sorted{.slots = std::vector<Slot>(slots.size())};
  for (const Slot& slot : slots) ++sorted.starts[cdb::table_of(slot.hash) + 1];
  for (std::size_t i = 0; i < cdb::kTables; ++i) sorted.starts[i + 1] += sorted.starts[i];
  auto next = sorted.starts;
  for (const Slot& slot : slots) sorted.slots[next[cdb::table_of(slot.hash)]++] = slot;
  return sorted;
}

/// A hash table of twice as many slots as it has records, as the format recommends.
void lay_out_table(std::span<const Slot> slots, std::vector<char>& bytes) {
  const auto size = static_cast<std::uint32_t>(2 * slots.size());
  bytes.assign(size * cdb::kSlotSize, '\0');
  for (const Slot& slot : slots) {
    std::uint32_t place = cdb::first_slot(slot.hash, size);
    const auto is_taken = [&] {
      return load_little_endian<std::uint32_t>(&bytes[place * cdb::kSlotSize + 4]) != 0;
    };
    while (is_taken())
      if (++place == size) place = 0;
    store(&bytes[place * cdb::kSlotSize], slot.hash, slot.position);
  }
}

}  // namespace

Result<void> write_cdb_index(std::span<const Entry> entries, const IndexOptions& options, int fd) {
  std::array<char, cdb::kHeaderSize> header{};
  IndexOutput out(fd);
  out.append({header.data(), header.size()});
  const Result<std::vector<Slot>> slots = write_records(entries, options, out);
  if (!slots) return slots.error();

  const SlotsByTable sorted = sort_by_table(*slots);
  std::vector<char> table;
  for (std::size_t i = 0; i < cdb::kTables; ++i) {
    const std::size_t start = sorted.starts[i];
    lay_out_table(std::span(sorted.slots).subspan(start, sorted.starts[i + 1] - start), table);
    store(&header[i * cdb::kPointerSize], static_cast<std::uint32_t>(out.position()),
          static_cast<std::uint32_t>(table.size() / cdb::kSlotSize));
    out.append({table.data(), table.size()});
  }
  return out.finish({header.data(), header.size()});
}

}  // namespace libmaps
