#include "libmaps/static_table.h"

#include "libconf/text.h"
#include "libmaps/file_value.h"

namespace libmaps {
namespace {

class StaticTable final : public Table {
 public:
  StaticTable(std::string name, std::string value) : Table(std::move(name)), value_(std::move(value)) {}

  Result<std::optional<std::string>> lookup(std::string_view) override { return value_; }

 private:
  std::optional<std::string> value_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_static(std::string_view name, const TableContext& context) {
  std::string_view value = name;
  if (name.starts_with('{')) {
    const std::size_t length = libconf::balanced_length(name);
    if (length != name.size())
      return Error{.kind = ErrorKind::kSyntax,
                   .message = libconf::concat(
                       "bad static:name syntax: ",
                       length == std::string_view::npos ? "missing '}'" : "syntax error after '}'", " in \"",
                       name, "\"")};
    value = libconf::trim(name.substr(1, name.size() - 2));
  }
  Result<std::string> answer(value);
  if (context.options.load_files) answer = encode_files(value);
  if (!answer) return answer.error();
  return std::make_unique<StaticTable>(libconf::concat("static:", name), std::move(*answer));
}

}  // namespace libmaps
