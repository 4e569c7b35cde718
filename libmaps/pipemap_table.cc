#include "libmaps/pipemap_table.h"

#include <vector>

#include "libconf/text.h"
#include "libmaps/composite.h"

namespace libmaps {
namespace {

class PipemapTable final : public Table {
 public:
  PipemapTable(std::string name, std::vector<std::unique_ptr<Table>> members)
      : Table(std::move(name)), members_(std::move(members)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    std::optional<std::string> value(key);
    for (const std::unique_ptr<Table>& member : members_) {
      Result<std::optional<std::string>> next = member->lookup(*value);
      if (!next || !*next) return next;
      value = std::move(*next);
    }
    return value;
  }

 private:
  std::vector<std::unique_ptr<Table>> members_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_pipemap(std::string_view name, const TableContext& context) {
  auto members = open_members("pipemap", name, context);
  if (!members) return members.error();
  return std::make_unique<PipemapTable>(libconf::concat("pipemap:", name), std::move(*members));
}

}  // namespace libmaps
