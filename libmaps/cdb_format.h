/// The cdb format, as its author gives it (https://cr.yp.to/cdb/cdb.txt): 256 pointers to hash tables, the
/// records, the hash tables. All numbers are 32 bits, little-endian; positions count from the file's start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace libmaps::cdb {

inline constexpr std::size_t kTables = 256;
inline constexpr std::size_t kPointerSize = 8;  ///< The position and the number of slots of a hash table.
inline constexpr std::size_t kSlotSize = 8;     ///< A hash, and the position of its record; 0 is a free slot.
inline constexpr std::size_t kRecordHeaderSize = 8;  ///< The lengths of key and value, which follow it.
inline constexpr std::size_t kHeaderSize = kTables * kPointerSize;
inline constexpr std::uint64_t kMaxFileSize = UINT32_MAX;

/// Continues the hash of a key over `bytes`. The low 8 bits of the whole key's hash choose its table, the
/// others the slot where to begin.
inline std::uint32_t hash(std::string_view bytes, std::uint32_t start = 5381) {
  for (const char c : bytes) start = ((start << 5) + start) ^ static_cast<unsigned char>(c);
  return start;
}

constexpr std::size_t table_of(std::uint32_t hash) { return hash % kTables; }

/// REQUIRES: slots > 0.
constexpr std::uint32_t first_slot(std::uint32_t hash, std::uint32_t slots) { return (hash >> 8) % slots; }

}  // namespace libmaps::cdb
