/// The format of LMDB 0.9 data files, as liblmdb keeps it in memory and on disk: in the machine's own byte
/// order, in pages of 4096 bytes. Pages 0 and 1 are the two meta pages; the one with the higher transaction
/// number counts, and the next transaction writes the other. The rest is a B+ tree of the entries, another
/// one of free pages, and overflow pages for large values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace libmaps::lmdb {

inline constexpr std::size_t kPageSize = 4096;
inline constexpr std::uint64_t kMetaPages = 2;
inline constexpr std::uint64_t kNoPage = ~std::uint64_t{0};  ///< The root of an empty tree.
inline constexpr std::uint32_t kMagic = 0xBEEFC0DE;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxKeySize = 511;
inline constexpr std::uint64_t kMaxValueSize = UINT32_MAX;

/// What a page is: the flags of its header.
enum class PageKind : std::uint16_t { kBranch = 0x01, kLeaf = 0x02, kOverflow = 0x04, kMeta = 0x08 };

struct PageHeader {
  std::uint64_t number;
  std::uint16_t padding;
  PageKind kind;
  std::uint16_t lower;  ///< The end of the offsets of nodes, 16 bits each, that follow the header.
  std::uint16_t upper;  ///< Where the nodes begin; they reach to the end of the page.
};

/// Overflow pages are a run; only its first has a header.
struct OverflowHeader {
  std::uint64_t number;
  std::uint16_t padding;
  PageKind kind;
  std::uint32_t pages;
};

/// The key follows, then, in a leaf, the value or the number of its first overflow page. A leaf has the size
/// of the value in `low` and `high`. A branch has the child's page number in all three; the key of its first
/// node is empty, and stands for all that is less than the second.
struct NodeHeader {
  std::uint16_t low;
  std::uint16_t high;
  std::uint16_t flags;
  std::uint16_t key_size;
};

inline constexpr std::uint16_t kValueOnOverflowPages = 0x01;

struct Tree {
  std::uint32_t page_size;  ///< In the tree of free pages; 0 in that of the entries.
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages;
  std::uint64_t leaf_pages;
  std::uint64_t overflow_pages;
  std::uint64_t entries;
  std::uint64_t root;
};

/// Flags of the tree of free pages: its keys are numbers; and, for the whole file, it has no directory.
inline constexpr std::uint16_t kIntegerKeys = 0x0008;
inline constexpr std::uint16_t kNoSubdirectory = 0x4000;

/// What a meta page has after its header.
struct Meta {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address;
  std::uint64_t map_size;
  Tree free_pages;
  Tree entries;
  std::uint64_t last_page;
  std::uint64_t transaction;
};

/// A meta page; the rest of it means nothing. It fits into one sector of a disk, which is written whole or
/// not at all.
struct MetaPage {
  PageHeader header;
  Meta meta;
};

static_assert(sizeof(PageHeader) == 16 && sizeof(OverflowHeader) == 16 && sizeof(NodeHeader) == 8);
static_assert(sizeof(Tree) == 48 && sizeof(Meta) == 136 && sizeof(MetaPage) == 152);

/// The room for nodes and their offsets, and what a node may have of it so that every page holds two.
inline constexpr std::size_t kPageRoom = kPageSize - sizeof(PageHeader);
inline constexpr std::size_t kMaxNodeSize = kPageRoom / 2 - sizeof(std::uint16_t);

/// Nodes begin at even offsets.
constexpr std::size_t even(std::size_t size) { return (size + 1) & ~std::size_t{1}; }

/// A value goes to overflow pages when its node would be too large.
constexpr bool needs_overflow(std::size_t key_size, std::size_t value_size) {
  return sizeof(NodeHeader) + key_size + value_size > kMaxNodeSize;
}

/// The number of overflow pages of a value.
constexpr std::uint64_t overflow_pages(std::uint64_t value_size) {
  return (sizeof(OverflowHeader) + value_size + kPageSize - 1) / kPageSize;
}

/// The limit for the size of a file of so many pages: like Postfix, doubles `map_size` until they fit.
constexpr std::uint64_t fitting_map_size(std::uint64_t map_size, std::uint64_t pages) {
  if (map_size < kPageSize) map_size = kPageSize;
  while (map_size / kPageSize < pages) map_size *= 2;
  return map_size;
}

/// A header, or a number, out of bytes that need no alignment. REQUIRES: sizeof(T) bytes there.
template <class T>
T load(const char* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

template <class T>
void store(char* bytes, const T& value) {
  std::memcpy(bytes, &value, sizeof value);
}

}  // namespace libmaps::lmdb
