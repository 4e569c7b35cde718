#include "libmaps/cdb_index.h"

#include <algorithm>

#include "libmaps/cdb_format.h"
#include "libmaps/little_endian.h"

namespace libmaps {
namespace {

Error corrupt(std::string_view what) {
  return {.kind = ErrorKind::kDataCorrupt, .message = std::string(what)};
}

}  // namespace

Result<CdbIndex> CdbIndex::over(std::string_view bytes) {
  // The format has no mark of its own; that 256 pointers lead into the file is as good as one.
  const Error foreign = corrupt("not a CDB file");
  if (bytes.size() < cdb::kHeaderSize || bytes.size() > cdb::kMaxFileSize) return foreign;
  CdbIndex index(bytes);
  std::uint64_t tables_start = bytes.size();
  std::uint64_t slots = 0;
  for (std::size_t i = 0; i < cdb::kTables; ++i) {
    const HashTable table = index.table(i);
    const std::uint64_t end = table.position + std::uint64_t{table.slots} * cdb::kSlotSize;
    if (table.position < cdb::kHeaderSize || end > bytes.size()) return foreign;
    if (table.slots > 0) tables_start = std::min<std::uint64_t>(tables_start, table.position);
    slots += table.slots;
  }
  index.records_end_ = slots > 0 ? tables_start : cdb::kHeaderSize;
  return index;
}

/// REQUIRES: four bytes there.
std::uint32_t CdbIndex::number_at(std::uint64_t position) const {
  return load_little_endian<std::uint32_t>(bytes_.data() + position);
}

CdbIndex::HashTable CdbIndex::table(std::size_t number) const {
  const std::size_t pointer = number * cdb::kPointerSize;
  return {.position = number_at(pointer), .slots = number_at(pointer + 4)};
}

Result<Entry> CdbIndex::record_at(std::uint64_t position) const {
  // None of these sums of 32-bit numbers overflows.
  const std::uint64_t start = position + cdb::kRecordHeaderSize;
  if (position < cdb::kHeaderSize || start > records_end_) return corrupt("CDB record outside of its place");
  const std::uint64_t key_size = number_at(position);
  const std::uint64_t value_size = number_at(position + 4);
  if (key_size + value_size > records_end_ - start) return corrupt("CDB record longer than its place");
  return Entry{.key = bytes_.substr(start, key_size), .value = bytes_.substr(start + key_size, value_size)};
}

void CdbIndex::expect(std::string_view key) const {
  const std::uint32_t hash = cdb::hash(key);
  const HashTable table = this->table(cdb::table_of(hash));
  if (table.slots == 0) return;
  __builtin_prefetch(bytes_.data() + table.position +
                     std::uint64_t{cdb::first_slot(hash, table.slots)} * cdb::kSlotSize);
}

Result<std::optional<std::string_view>> CdbIndex::find(std::string_view key) const {
  const std::uint32_t hash = cdb::hash(key);
  const HashTable table = this->table(cdb::table_of(hash));
  if (table.slots == 0) return std::nullopt;
  std::uint32_t slot = cdb::first_slot(hash, table.slots);
  for (std::uint32_t i = 0; i < table.slots; ++i) {
    const std::uint64_t place = table.position + std::uint64_t{slot} * cdb::kSlotSize;
    const std::uint32_t position = number_at(place + 4);
    if (position == 0) return std::nullopt;
    if (number_at(place) == hash) {
      const Result<Entry> record = record_at(position);
      if (!record) return record.error();
      if (record->key == key) return record->value;
    }
    if (++slot == table.slots) slot = 0;
  }
  return std::nullopt;
}

Result<void> CdbIndex::for_each(const EntryVisitor& visit) const {
  for (std::uint64_t position = cdb::kHeaderSize; position < records_end_;) {
    const Result<Entry> record = record_at(position);
    if (!record) return record.error();
    const Result<std::optional<std::string_view>> found = find(record->key);
    if (!found) return found.error();
    if (!*found) return corrupt("CDB record that no hash table lists");
    if (Result<void> visited = visit(record->key, record->value); !visited) return visited;
    position += cdb::kRecordHeaderSize + record->key.size() + record->value.size();
  }
  return {};
}

}  // namespace libmaps
