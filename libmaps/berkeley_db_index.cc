#include "libmaps/berkeley_db_index.h"

#include "libmaps/berkeley_db_check.h"

namespace libmaps {

Result<BerkeleyDbIndex> BerkeleyDbIndex::over(std::string_view bytes, BerkeleyDbKind kind) {
  const auto wrap = [](const auto& content) -> Result<BerkeleyDbIndex> {
    if (!content) return content.error();
    return BerkeleyDbIndex(*content);
  };
  return kind == BerkeleyDbKind::kHash ? wrap(berkeley_db::HashFile::open(bytes))
                                       : wrap(berkeley_db::BtreeFile::open(bytes));
}

Result<std::optional<std::string_view>> BerkeleyDbIndex::find(std::string_view key,
                                                              std::string& scratch) const {
  return std::visit([&](const auto& content) { return content.find(key, scratch); }, content_);
}

void BerkeleyDbIndex::expect(std::string_view key) const {
  std::visit([&](const auto& content) { content.expect(key); }, content_);
}

Result<void> BerkeleyDbIndex::for_each(const EntryVisitor& visit) const {
  return std::visit([&](const auto& content) { return content.for_each(visit); }, content_);
}

Result<void> BerkeleyDbIndex::check_structure() const {
  return std::visit([](const auto& content) { return berkeley_db::check_structure(content); }, content_);
}

}  // namespace libmaps
