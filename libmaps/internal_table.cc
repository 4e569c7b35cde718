#include "libmaps/internal_table.h"

#include <map>

#include "libconf/text.h"

namespace libmaps {
namespace {

/// The reader's and the lister's view: nobody has written to this table yet.
class EmptyTable final : public IterableTable {
 public:
  using IterableTable::IterableTable;
  Result<std::optional<std::string>> lookup(std::string_view) override {
    return std::optional<std::string>();
  }
  Result<void> for_each(const EntryVisitor&) override { return {}; }
};

class InternalTable final : public WritableTable {
 public:
  using WritableTable::WritableTable;

  Result<bool> store(std::string_view key, std::string_view value, bool replace) override {
    const auto [entry, is_new] = entries_.try_emplace(std::string(key), value);
    if (!is_new && replace) entry->second = value;
    return is_new || replace;
  }

  Result<bool> remove(std::string_view key) override {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) return false;
    entries_.erase(entry);
    return true;
  }

  Result<void> finish() override { return {}; }

 private:
  std::map<std::string, std::string, std::less<>> entries_;
};

std::string full_name(std::string_view name) { return libconf::concat("internal:", name); }

}  // namespace

Result<std::unique_ptr<Table>> open_internal(std::string_view name, const TableContext&) {
  return std::make_unique<EmptyTable>(full_name(name));
}

Result<std::unique_ptr<IterableTable>> open_iterable_internal(std::string_view name, const TableContext&) {
  return std::make_unique<EmptyTable>(full_name(name));
}

Result<std::unique_ptr<WritableTable>> open_writable_internal(std::string_view name, IfAbsent,
                                                              const TableContext&) {
  return std::make_unique<InternalTable>(full_name(name));
}

}  // namespace libmaps
