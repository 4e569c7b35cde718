#include "libmaps/lmdb_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "libmaps/index_output.h"
#include "libmaps/lmdb_error.h"
#include "libmaps/lmdb_format.h"

namespace libmaps {
namespace {

using lmdb::even;
using lmdb::kPageSize;
using lmdb::NodeHeader;
using lmdb::PageKind;

/// A page of the tree in the making. Nodes fill it from its end.
class PageBuilder {
 public:
  explicit PageBuilder(PageKind kind) : kind_(kind) {}

  static constexpr std::size_t node_size(std::size_t payload) { return even(sizeof(NodeHeader) + payload); }

  bool has_room(std::size_t payload) const {
    return sizeof(std::uint16_t) + node_size(payload) <= std::size_t{upper_} - lower_;
  }

  /// Adds a node, and returns the `payload` bytes after its header for the caller to fill. REQUIRES:
  /// has_room(payload).
  char* add(const NodeHeader& header, std::size_t payload) {
    const std::size_t size = node_size(payload);
    upper_ = static_cast<std::uint16_t>(upper_ - size);
    char* node = bytes_.data() + upper_;
    node[size - 1] = '\0';  // The padding, if there is any.
    lmdb::store(node, header);
    lmdb::store(bytes_.data() + lower_, upper_);
    lower_ = static_cast<std::uint16_t>(lower_ + sizeof upper_);
    return node + sizeof header;
  }

  bool empty() const { return lower_ == sizeof(lmdb::PageHeader); }

  /// Writes the page as page `number`, and starts the next one.
  void write(std::uint64_t number, IndexOutput& out) {
    lmdb::store(
        bytes_.data(),
        lmdb::PageHeader{.number = number, .padding = 0, .kind = kind_, .lower = lower_, .upper = upper_});
    std::memset(bytes_.data() + lower_, 0, std::size_t{upper_} - lower_);
    out.append({bytes_.data(), bytes_.size()});
    lower_ = sizeof(lmdb::PageHeader);
    upper_ = kPageSize;
  }

 private:
  PageKind kind_;
  std::uint16_t lower_ = sizeof(lmdb::PageHeader);
  std::uint16_t upper_ = kPageSize;
  std::array<char, kPageSize> bytes_{};
};

/// A page that its parent will point to.
struct Child {
  std::string_view first_key;  ///< As the entry has it, without its NUL.
  std::uint64_t page;
};

class Writer {
 public:
  Writer(const IndexOptions& options, int fd)
      : end_(options.null_terminated ? 1 : 0), map_size_(options.map_size), out_(fd) {}

  Result<void> write(std::span<const Entry> entries) {
    constexpr std::size_t kMetaSize = lmdb::kMetaPages * kPageSize;
    std::memset(out_.extend(kMetaSize), 0, kMetaSize);
    std::vector<Child> level;
    if (Result<void> written = write_leaves(entries, level); !written) return written;
    tree_.entries = entries.size();
    tree_.depth = level.empty() ? 0 : 1;
    while (level.size() > 1) {
      level = write_branches(level);
      ++tree_.depth;
    }
    tree_.root = level.empty() ? lmdb::kNoPage : level.front().page;
    return out_.finish(meta_pages());
  }

 private:
  std::uint64_t next_page() const { return out_.position() / kPageSize; }

  Result<void> write_leaves(std::span<const Entry> entries, std::vector<Child>& leaves) {
    PageBuilder page(PageKind::kLeaf);
    std::string_view first_key;
    const auto finish_page = [&] {
      leaves.push_back({.first_key = first_key, .page = next_page()});
      page.write(next_page(), out_);
      ++tree_.leaf_pages;
    };
    for (const auto& [key, value] : entries) {
      const std::size_t key_size = key.size() + end_;
      const std::size_t value_size = value.size() + end_;
      const bool is_legal =
          key_size > 0 && key_size <= lmdb::kMaxKeySize && value_size <= lmdb::kMaxValueSize;
      if (!is_legal) return lmdb_error(MDB_BAD_VALSIZE);
      const bool overflows = lmdb::needs_overflow(key_size, value_size);
      const std::size_t payload = key_size + (overflows ? sizeof(std::uint64_t) : value_size);
      if (!page.has_room(payload)) finish_page();
      if (page.empty()) first_key = key;
      char* bytes = page.add({.low = static_cast<std::uint16_t>(value_size),
                              .high = static_cast<std::uint16_t>(value_size >> 16),
                              .flags = overflows ? lmdb::kValueOnOverflowPages : std::uint16_t{0},
                              .key_size = static_cast<std::uint16_t>(key_size)},
                             payload);
      bytes = put(bytes, key);
      if (overflows) {
        lmdb::store(bytes, next_page());
        write_overflow(value);
      } else {
        put(bytes, value);
      }
    }
    if (!page.empty()) finish_page();
    return {};
  }

  /// Copies `text` and what ends it. Returns the place after it.
  char* put(char* bytes, std::string_view text) const {
    if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
    bytes += text.size();
    if (end_ > 0) *bytes++ = '\0';
    return bytes;
  }

  void write_overflow(std::string_view value) {
    const std::uint64_t pages = lmdb::overflow_pages(value.size() + end_);
    const std::uint64_t end = out_.position() + pages * kPageSize;
    lmdb::store(out_.extend(sizeof(lmdb::OverflowHeader)),
                lmdb::OverflowHeader{.number = next_page(),
                                     .padding = 0,
                                     .kind = PageKind::kOverflow,
                                     .pages = static_cast<std::uint32_t>(pages)});
    out_.append(value);
    // What ends the value is a zero, too.
    const std::uint64_t rest = end - out_.position();
    std::memset(out_.extend(rest), 0, rest);
    tree_.overflow_pages += pages;
  }

  /// The first key of a branch is left out.
  std::size_t branch_payload(const Child& child, bool is_first) const {
    return is_first ? 0 : child.first_key.size() + end_;
  }

  /// Writes the level above `children`.
  std::vector<Child> write_branches(std::span<const Child> children) {
    std::vector<Child> parents;
    PageBuilder page(PageKind::kBranch);
    while (!children.empty()) {
      const std::size_t count = branch_size(children);
      parents.push_back({.first_key = children.front().first_key, .page = next_page()});
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t payload = branch_payload(children[i], i == 0);
        char* bytes = page.add({.low = static_cast<std::uint16_t>(children[i].page),
                                .high = static_cast<std::uint16_t>(children[i].page >> 16),
                                .flags = static_cast<std::uint16_t>(children[i].page >> 32),
                                .key_size = static_cast<std::uint16_t>(payload)},
                               payload);
        if (i > 0) put(bytes, children[i].first_key);
      }
      page.write(next_page(), out_);
      ++tree_.branch_pages;
      children = children.subspan(count);
    }
    return parents;
  }

  /// How many of `children` the next branch page takes. It never leaves a single one for the last page:
  /// liblmdb aborts at a branch with one child.
  std::size_t branch_size(std::span<const Child> children) const {
    std::size_t used = 0;
    std::size_t count = 0;
    for (; count < children.size(); ++count) {
      used += sizeof(std::uint16_t) + PageBuilder::node_size(branch_payload(children[count], count == 0));
      if (used > lmdb::kPageRoom) break;
    }
    return children.size() - count == 1 ? count - 1 : count;
  }

  /// The file before its first transaction, and after it.
  std::string meta_pages() const {
    const std::uint64_t file_size = out_.position();
    std::uint64_t map_size = std::max<std::uint64_t>(map_size_, kPageSize);
    while (map_size < file_size) map_size *= 2;
    const lmdb::Tree no_pages{
        .page_size = kPageSize, .flags = lmdb::kIntegerKeys | lmdb::kNoSubdirectory, .root = lmdb::kNoPage};
    const lmdb::Meta before{.magic = lmdb::kMagic,
                            .version = lmdb::kVersion,
                            .map_size = map_size,
                            .free_pages = no_pages,
                            .entries = {.root = lmdb::kNoPage},
                            .last_page = lmdb::kMetaPages - 1,
                            .transaction = 0};
    lmdb::Meta after = before;
    after.entries = tree_;
    after.last_page = next_page() - 1;
    after.transaction = 1;

    std::string pages(lmdb::kMetaPages * kPageSize, '\0');
    const auto put_meta = [&](std::uint64_t number, const lmdb::Meta& meta) {
      char* page = pages.data() + number * kPageSize;
      lmdb::store(page, lmdb::PageHeader{.number = number, .kind = PageKind::kMeta});
      lmdb::store(page + sizeof(lmdb::PageHeader), meta);
    };
    put_meta(0, before);
    put_meta(1, after);
    return pages;
  }

  std::size_t end_;  ///< The number of NULs after each key and value.
  std::uint64_t map_size_;
  IndexOutput out_;
  lmdb::Tree tree_{};
};

}  // namespace

Result<void> write_lmdb_index(std::span<const Entry> entries, const IndexOptions& options, int fd) {
  return Writer(options, fd).write(entries);
}

}  // namespace libmaps
