// $name expressions: the first line is expanded, the others are `name = value`.
#include <map>

#include "libconf/expansion.h"
#include "libconf/text.h"
#include "tests/fuzz/property.h"

namespace {

class MapScope final : public libconf::ExpansionScope {
 public:
  explicit MapScope(std::string_view lines) {
    while (!lines.empty()) {
      libconf::NameValue parts;
      if (libconf::split_name_value(take_first_line(lines), parts) == libconf::NameValueFault::kNone)
        values_[parts.name] = parts.value;
    }
  }
  std::optional<std::string_view> value_of(std::string_view name) const override {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<std::string_view, std::string_view> values_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = as_text(data, size);
  const std::string_view expression = take_first_line(text);
  const MapScope scope(text);
  libconf::DiagnosticList findings;
  const auto value = libconf::expand(expression, scope, findings);
  if (expression.find('$') == std::string_view::npos)
    require(value && *value == expression, "text without $ stands for itself");
  libconf::DiagnosticDiscard discard;
  libconf::scan_references(
      expression, [](std::string_view) {}, discard);
  return 0;
}
