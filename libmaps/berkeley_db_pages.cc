#include "libmaps/berkeley_db_pages.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "libconf/text.h"

namespace libmaps::berkeley_db {

using libconf::concat;

Error damaged(std::uint32_t page_number, std::string_view what) {
  return {.kind = ErrorKind::kDataCorrupt,
          .message = concat("damaged at page ", std::to_string(page_number), ": ", what)};
}

std::uint32_t Pages::count() const {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(bytes_.size() / page_size_, std::numeric_limits<std::uint32_t>::max()));
}

void Pages::fetch(std::uint32_t number) const {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kFetched = 4 * kLine;  // The head, and the offsets of most items.
  const std::uint64_t offset = std::uint64_t{number} * page_size_;
  if (offset + kFetched > bytes_.size()) return;
  const char* head = bytes_.bytes().data() + offset;
  for (std::size_t i = 0; i < kFetched; i += kLine) __builtin_prefetch(head + i);
}

Result<Page> Pages::page(std::uint32_t number) const {
  if (number == 0) return damaged(number, "a reference to no page");
  if (number >= count()) return damaged(number, "the file ends before this page");
  const Page page(bytes_.part(std::size_t{number} * page_size_, page_size_));
  const bool is_unused = page.number() == 0 && page.type() == PageType::kInvalid;
  if (page.number() != number && !is_unused) return damaged(number, "it has the number of another page");
  return page;
}

Result<void> Pages::for_each_part(const OverflowItem& item, PageBudget& budget,
                                  const OverflowVisitor& visit) const {
  std::uint32_t left = item.length;
  std::uint32_t number = item.first_page;
  // Every page has a byte at least, so this ends.
  while (left != 0) {
    const Result<Page> page = this->page(number);
    if (!page) return page.error();
    const std::uint32_t length = page->lowest();
    if (page->type() != PageType::kOverflow) return damaged(number, "not an overflow page");
    if (length == 0 || length > page_size_ - page::kHeadSize || length > left) {
      return damaged(number, "wrong length of an overflow page");
    }
    if (!budget.take()) return damaged(number, "pages form a circle");
    if (!visit(*page, page->bytes().substr(page::kHeadSize, length))) return {};
    left -= length;
    number = page->next();
  }
  return {};
}

Result<std::string_view> Pages::read(const Item& item, std::string& scratch, PageBudget& budget) const {
  if (!item.is_overflow) return item.bytes;
  std::string_view whole;
  scratch.clear();
  const Result<void> done = for_each_part(item.overflow, budget, [&](const Page&, std::string_view part) {
    if (part.size() == item.overflow.length) {
      whole = part;
    } else {
      scratch += part;
    }
    return true;
  });
  if (!done) return done.error();
  return whole.empty() ? std::string_view(scratch) : whole;
}

Result<int> Pages::compare(std::string_view key, const Item& item, PageBudget& budget) const {
  if (!item.is_overflow) return key.compare(item.bytes);
  int order = 0;
  std::string_view rest = key;
  const Result<void> done = for_each_part(item.overflow, budget, [&](const Page&, std::string_view part) {
    order = rest.substr(0, part.size()).compare(part);
    rest.remove_prefix(std::min(rest.size(), part.size()));
    return order == 0;
  });
  if (!done) return done.error();
  return order == 0 && !rest.empty() ? 1 : order;
}

namespace {

struct Kind {
  std::uint32_t magic;
  std::string_view name;
};
constexpr Kind kKinds[] = {
    {kHashMagic, "hash"}, {kBtreeMagic, "btree"}, {kQueueMagic, "queue"}, {kHeapMagic, "heap"}};

/// The file's kind, or nullptr when it is no Berkeley DB file; `bytes` gets the file's byte order.
const Kind* recognise(FileBytes& bytes) {
  for (const bool is_swapped : {false, true}) {
    bytes = {bytes.bytes(), is_swapped};
    const auto* kind = std::ranges::find(kKinds, bytes.u32(metadata::kMagic), &Kind::magic);
    if (kind != std::end(kKinds)) return kind;
  }
  return nullptr;
}

}  // namespace

Result<Pages> open_pages(std::string_view file, std::string_view kind, std::uint32_t magic) {
  const auto fail = [](ErrorKind error, const auto&... what) {
    return Error{.kind = error, .message = concat(what...)};
  };
  const auto unsupported = [&](std::string_view what) {
    return fail(ErrorKind::kUnsupported, "a Berkeley DB ", kind, " file with ", what,
                ", which Postfix tables do not have");
  };
  if (file.empty()) return fail(ErrorKind::kDataCorrupt, "not a Berkeley DB ", kind, " file: it is empty");
  FileBytes bytes(file, false);
  const Kind* found = file.size() < metadata::kEnd ? nullptr : recognise(bytes);
  if (found == nullptr) return fail(ErrorKind::kDataCorrupt, "not a Berkeley DB ", kind, " file");
  if (found->magic != magic) {
    return fail(ErrorKind::kDataCorrupt, "not a Berkeley DB ", kind, " file, but a ", found->name, " file");
  }

  const std::uint32_t version = bytes.u32(metadata::kVersion);
  if (version < kOldestFileVersion || version > kNewestFileVersion) {
    return fail(ErrorKind::kUnsupported, "a Berkeley DB ", kind, " file of version ", std::to_string(version),
                ", which is not supported");
  }
  const std::uint32_t page_size = bytes.u32(metadata::kPageSize);
  if (page_size < kMinPageSize || page_size > kMaxPageSize || !std::has_single_bit(page_size)) {
    return damaged(0, concat("a page size of ", std::to_string(page_size)));
  }
  if (file.size() < page_size) return damaged(0, "the file ends in this page");
  if (bytes.u8(metadata::kEncryption) != 0) return unsupported("encryption");
  if (bytes.u8(metadata::kMetaFlags) != 0) return unsupported("checksums or partitions");
  if (bytes.u32(metadata::kFlags) != 0) {
    return unsupported("duplicate keys, record numbers or several databases");
  }
  return Pages(bytes, page_size);
}

}  // namespace libmaps::berkeley_db
