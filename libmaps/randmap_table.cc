#include "libmaps/randmap_table.h"

#include <random>
#include <vector>

#include "libconf/text.h"
#include "libmaps/composite.h"

namespace libmaps {
namespace {

class RandmapTable final : public Table {
 public:
  RandmapTable(std::string name, std::vector<std::string> values)
      : Table(std::move(name)), values_(std::move(values)), pick_(0, values_.size() - 1) {}

  Result<std::optional<std::string>> lookup(std::string_view) override {
    return std::optional(values_[pick_(random_)]);
  }

 private:
  std::vector<std::string> values_;
  std::uniform_int_distribution<std::size_t> pick_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

Result<std::unique_ptr<Table>> open_randmap(std::string_view name, const TableContext&) {
  const auto words = braced_words("randmap", name, "value");
  if (!words) return words.error();
  return std::make_unique<RandmapTable>(libconf::concat("randmap:", name),
                                        std::vector<std::string>(words->begin(), words->end()));
}

}  // namespace libmaps
