#include "libmaps/fail_table.h"

#include "libconf/text.h"

namespace libmaps {
namespace {

Error application_error() { return {.kind = ErrorKind::kTemporary, .message = "Application error"}; }

std::string full_name(std::string_view name) { return libconf::concat("fail:", name); }

/// Asked or listed, it fails.
class FailTable final : public IterableTable {
 public:
  using IterableTable::IterableTable;
  Result<std::optional<std::string>> lookup(std::string_view) override { return application_error(); }
  Result<void> for_each(const EntryVisitor&) override { return application_error(); }
};

class FailChanges final : public WritableTable {
 public:
  using WritableTable::WritableTable;
  Result<bool> store(std::string_view, std::string_view, bool) override { return application_error(); }
  Result<bool> remove(std::string_view) override { return application_error(); }
  Result<void> finish() override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Table>> open_fail(std::string_view name, const TableContext&) {
  return std::make_unique<FailTable>(full_name(name));
}

Result<std::unique_ptr<IterableTable>> open_iterable_fail(std::string_view name, const TableContext&) {
  return std::make_unique<FailTable>(full_name(name));
}

Result<std::unique_ptr<WritableTable>> open_writable_fail(std::string_view name, IfAbsent,
                                                          const TableContext&) {
  return std::make_unique<FailChanges>(full_name(name));
}

}  // namespace libmaps
