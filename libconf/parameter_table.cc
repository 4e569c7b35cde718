#include "libconf/parameter_table.h"

#include <algorithm>

namespace libconf {

const Parameter* find_parameter(std::string_view name) {
  const std::span<const Parameter> table = all_parameters();
  const auto place =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const Parameter& row, std::string_view key) { return row.name < key; });
  return place != table.end() && place->name == name ? &*place : nullptr;
}

bool is_raw(std::string_view name) {
  const Parameter* parameter = find_parameter(name);
  return parameter != nullptr && parameter->type == ParameterType::kRaw;
}

std::string_view type_name(ParameterType type) {
  switch (type) {
    case ParameterType::kBoolean:
    case ParameterType::kBooleanExpr:
      return "boolean (yes or no)";
    case ParameterType::kInteger:
    case ParameterType::kIntegerExpr:
      return "integer";
    case ParameterType::kLong:
      return "long integer";
    case ParameterType::kTime:
      return "time (units: s, m, h, d, w)";
    case ParameterType::kString:
      return "string";
    case ParameterType::kRaw:
      return "string, expanded where it is used";
    case ParameterType::kComputed:
      return "string, default computed from the host";
    case ParameterType::kService:
      return "string, set by each program";
    case ParameterType::kLegacy:
      return "string, old name";
    case ParameterType::kRemoved:
      return "removed";
  }
  return "";
}

std::span<const DerivedParameter> derived_parameters(std::string_view kind) {
  const std::span<const DerivedParameter> table = all_derived_parameters();
  const auto [first, last] =
      std::equal_range(table.begin(), table.end(), DerivedParameter{kind, {}, {}},
                       [](const DerivedParameter& a, const DerivedParameter& b) { return a.kind < b.kind; });
  return {first, last};
}

bool has_table_setting(std::span<const DerivedParameter> settings, std::string_view name) {
  return std::any_of(settings.begin(), settings.end(),
                     [name](const DerivedParameter& row) { return row.suffix.substr(1) == name; });
}

}  // namespace libconf
