/// The layout of Berkeley DB 5.3 hash and btree files, as far as Postfix's tables have it: no duplicates, no
/// checksums, no encryption, one database a file.
///
/// A file is an array of pages of one size; page 0 has the metadata, and page number 0 elsewhere means
/// "none". Numbers are in the byte order of the machine that made the file, which its magic number tells.
/// Offsets are bytes from the start of the page, unless they say otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace libmaps::berkeley_db {

inline constexpr std::uint32_t kHashMagic = 0x061561;
inline constexpr std::uint32_t kBtreeMagic = 0x053162;
inline constexpr std::uint32_t kQueueMagic = 0x042253;
inline constexpr std::uint32_t kHeapMagic = 0x074582;

/// What libdb 5.3 writes. Version 10 is of libdb 6, which has the same layout for what is read here.
inline constexpr std::uint32_t kFileVersion = 9;
inline constexpr std::uint32_t kOldestFileVersion = 8;
inline constexpr std::uint32_t kNewestFileVersion = 10;

inline constexpr std::uint32_t kMinPageSize = 512;
inline constexpr std::uint32_t kMaxPageSize = 65536;
/// Of the files that are written here, and by Postfix.
inline constexpr std::uint32_t kPageSize = 4096;

enum class PageType : std::uint8_t {
  kInvalid = 0,  ///< On the list of free pages, or never used.
  kHashUnsorted = 2,
  kBtreeInternal = 3,
  kBtreeLeaf = 5,
  kOverflow = 7,  ///< A part of an item that is too large for a page.
  kHashMetadata = 8,
  kBtreeMetadata = 9,
  kHash = 13,
};

/// The metadata page: what every kind of file has. uint32_t unless a comment says otherwise.
namespace metadata {
inline constexpr std::size_t kLogOffset = 4;  ///< 1 in a file without a log.
inline constexpr std::size_t kMagic = 12;
inline constexpr std::size_t kVersion = 16;
inline constexpr std::size_t kPageSize = 20;
inline constexpr std::size_t kEncryption = 24;  ///< uint8_t
inline constexpr std::size_t kPageType = 25;    ///< uint8_t
inline constexpr std::size_t kMetaFlags = 26;   ///< uint8_t: checksums, partitions.
inline constexpr std::size_t kFreeList = 28;    ///< The first free page.
inline constexpr std::size_t kLastPage = 32;
inline constexpr std::size_t kFlags = 48;   ///< Duplicates, subdatabases, record numbers.
inline constexpr std::size_t kFileId = 52;  ///< 20 bytes that no other file has.
inline constexpr std::size_t kFileIdSize = 20;

// A hash file's.
inline constexpr std::size_t kMaxBucket = 72;
inline constexpr std::size_t kHighMask = 76;
inline constexpr std::size_t kLowMask = 80;
inline constexpr std::size_t kElements = 88;
inline constexpr std::size_t kHashOfCharkey = 92;  ///< Tells the hash function.
inline constexpr std::size_t kSpares = 96;         ///< See bucket_page().
inline constexpr std::size_t kSparesCount = 32;

// A btree file's.
inline constexpr std::size_t kMinKeys = 76;  ///< The least number of keys that a page must have room for.
inline constexpr std::size_t kRecordPad = 84;
inline constexpr std::size_t kRoot = 88;

inline constexpr std::size_t kEnd = 512;
}  // namespace metadata

/// The head of every other page. Offsets of items (uint16_t) follow it; items lie at the end of the page, the
/// first one last.
namespace page {
inline constexpr std::size_t kLogOffset = 4;  ///< As in the metadata.
inline constexpr std::size_t kNumber = 8;
inline constexpr std::size_t kPrevious = 12;
inline constexpr std::size_t kNext = 16;
inline constexpr std::size_t kEntries = 20;  ///< uint16_t; of an overflow page: how many refer to it.
inline constexpr std::size_t kLowest = 22;   ///< uint16_t: the lowest item; of an overflow page: its length.
inline constexpr std::size_t kLevel = 24;    ///< uint8_t: 1 is a leaf; 0 where there is no tree.
inline constexpr std::size_t kType = 25;     ///< uint8_t
inline constexpr std::size_t kHeadSize = 26;
inline constexpr std::size_t kOffsetSize = 2;
}  // namespace page

/// Items of a hash page: a type, then the bytes. They have no length: the next item's offset ends one. Keys
/// have even indexes, a key's value the index after it.
namespace hash_item {
inline constexpr std::uint8_t kKeyData = 1;
inline constexpr std::uint8_t kOffPage = 3;
inline constexpr std::size_t kDataAt = 1;
inline constexpr std::size_t kOffPageSize = 12;  ///< An item whose bytes are on overflow pages.
inline constexpr std::size_t kOffPageNumber = 4;
inline constexpr std::size_t kOffPageLength = 8;
}  // namespace hash_item

/// Items of a btree page: aligned to 4 bytes.
namespace btree_item {
inline constexpr std::size_t kLength = 0;  ///< uint16_t
inline constexpr std::size_t kType = 2;    ///< uint8_t
inline constexpr std::uint8_t kKeyData = 1;
inline constexpr std::uint8_t kOverflow = 3;
inline constexpr std::uint8_t kDeleted = 0x80;  ///< A flag, of a value: the entry is gone.
inline constexpr std::size_t kDataAt = 3;
inline constexpr std::size_t kOverflowSize = 12;
inline constexpr std::size_t kOverflowNumber = 4;
inline constexpr std::size_t kOverflowLength = 8;
inline constexpr std::size_t kAlignment = 4;
// Of an internal page: a key and the page that has the keys from it on.
inline constexpr std::size_t kChild = 4;
inline constexpr std::size_t kChildKeyAt = 12;
}  // namespace btree_item

constexpr std::size_t align(std::size_t size) {
  return (size + btree_item::kAlignment - 1) / btree_item::kAlignment * btree_item::kAlignment;
}

/// The hash function of libdb from version 3 on: FNV-1, started at 0. A hash can go on with `start`.
constexpr std::uint32_t hash_step(std::uint32_t hash, char c) {
  constexpr std::uint32_t kPrime = 16777619;
  return hash * kPrime ^ static_cast<unsigned char>(c);
}
constexpr std::uint32_t hash_of(std::string_view key, std::uint32_t start = 0) {
  for (const char c : key) start = hash_step(start, c);
  return start;
}

/// What libdb hashes to recognise a hash function: this text and its NUL.
inline constexpr std::string_view kCharkey{"%$sniglet^&\0", 12};

template <class Number>
Number load(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

template <class Number>
void store(char* to, Number number) {
  std::memcpy(to, &number, sizeof number);
}

}  // namespace libmaps::berkeley_db
