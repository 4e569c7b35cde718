#include "libmaps/randmap_table.h"

#include <random>
#include <vector>

#include "libconf/text.h"
#include "libmaps/composite.h"
#include "libmaps/file_value.h"

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

Result<std::unique_ptr<Table>> open_randmap(std::string_view name, const TableContext& context) {
  const auto words = braced_words("randmap", name, "value");
  if (!words) return words.error();
  std::vector<std::string> values;
  for (const std::string_view word : *words) {
    Result<std::string> value{std::string(word)};
    if (context.options.load_files) value = encode_files(word);
    if (!value) return value.error();
    values.push_back(std::move(*value));
  }
  return std::make_unique<RandmapTable>(libconf::concat("randmap:", name), std::move(values));
}

}  // namespace libmaps
