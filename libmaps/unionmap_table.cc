#include "libmaps/unionmap_table.h"

#include <vector>

#include "libconf/text.h"
#include "libmaps/composite.h"

namespace libmaps {
namespace {

class UnionmapTable final : public Table {
 public:
  UnionmapTable(std::string name, std::vector<std::unique_ptr<Table>> members)
      : Table(std::move(name)), members_(std::move(members)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    std::optional<std::string> joined;
    for (const std::unique_ptr<Table>& member : members_) {
      Result<std::optional<std::string>> value = member->lookup(key);
      if (!value) return value;
      if (!*value) continue;
      joined = joined ? libconf::concat(*joined, ",", **value) : std::move(**value);
    }
    return joined;
  }

 private:
  std::vector<std::unique_ptr<Table>> members_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_unionmap(std::string_view name, const TableContext& context) {
  auto members = open_members("unionmap", name, context);
  if (!members) return members.error();
  return std::make_unique<UnionmapTable>(libconf::concat("unionmap:", name), std::move(*members));
}

}  // namespace libmaps
