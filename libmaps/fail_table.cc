#include "libmaps/fail_table.h"

#include "libconf/text.h"

namespace libmaps {
namespace {

Error application_error() { return {.kind = ErrorKind::kTemporary, .message = "Application error"}; }

/// Every capability, to fail in each.
template <class Base>
class FailTable : public Base {
 public:
  explicit FailTable(std::string_view name) : Base(libconf::concat("fail:", name)) {}
  Result<std::optional<std::string>> lookup(std::string_view) override { return application_error(); }
};

class FailListing final : public FailTable<IterableTable> {
 public:
  using FailTable::FailTable;
  Result<void> for_each(const EntryVisitor&) override { return application_error(); }
};

class FailChanges final : public FailTable<WritableTable> {
 public:
  using FailTable::FailTable;
  Result<bool> store(std::string_view, std::string_view, bool) override { return application_error(); }
  Result<bool> remove(std::string_view) override { return application_error(); }
  Result<void> finish() override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Table>> open_fail(std::string_view name, const TableContext&) {
  return std::make_unique<FailTable<Table>>(name);
}

Result<std::unique_ptr<IterableTable>> open_iterable_fail(std::string_view name, const TableContext&) {
  return std::make_unique<FailListing>(name);
}

Result<std::unique_ptr<WritableTable>> open_writable_fail(std::string_view name, IfAbsent,
                                                          const TableContext&) {
  return std::make_unique<FailChanges>(name);
}

}  // namespace libmaps
