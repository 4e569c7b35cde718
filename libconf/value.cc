#include "libconf/value.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "libconf/text.h"

namespace libconf {
namespace {

Error bad(std::string message) { return {.kind = ErrorKind::kConfiguration, .message = std::move(message)}; }

/// Seconds in a unit, or 0.
std::int64_t unit_seconds(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 604800;
    default:
      return 0;
  }
}

std::optional<Error> check_limits(std::string_view name, std::string_view what, std::int64_t value,
                                  std::int64_t min, std::int64_t max) {
  if (value < min)
    return bad(concat("invalid ", name, " ", what, ": ", std::to_string(value), " < ", std::to_string(min)));
  if (max != 0 && value > max)
    return bad(concat("invalid ", name, " ", what, ": ", std::to_string(value), " > ", std::to_string(max)));
  return std::nullopt;
}

}  // namespace

Result<bool> parse_bool(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(value, "yes")) return true;
  if (equals_ignoring_case(value, "no")) return false;
  return bad(concat("bad boolean configuration: ", name, " = ", value));
}

Result<std::int64_t> parse_number(std::string_view name, std::string_view value, std::int64_t min,
                                  std::int64_t max) {
  std::int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, code] = std::from_chars(value.data(), end, number);
  if (code != std::errc() || stop != end)
    return bad(concat("bad numerical configuration: ", name, " = ", value));
  if (std::optional<Error> error = check_limits(name, "parameter value", number, min, max)) return *error;
  return number;
}

Result<std::chrono::seconds> parse_duration(std::string_view name, std::string_view value,
                                            char default_unit) {
  std::int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, code] = std::from_chars(value.data(), end, number);
  char unit = default_unit;
  if (end - stop == 1) unit = *stop >= 'A' && *stop <= 'Z' ? static_cast<char>(*stop - 'A' + 'a') : *stop;
  std::int64_t seconds = 0;
  const bool is_good = code == std::errc() && end - stop <= 1 && unit_seconds(unit) != 0 && number >= 0 &&
                       !__builtin_mul_overflow(number, unit_seconds(unit), &seconds) &&
                       seconds <= std::numeric_limits<int>::max();
  if (!is_good) return bad(concat("parameter ", name, ": bad time value or unit: ", value));
  return std::chrono::seconds(seconds);
}

std::vector<std::string> parse_list(std::string_view value) {
  std::vector<std::string> out;
  while (const auto word = next_braced_word(value, kListSeparators)) out.emplace_back(*word);
  return out;
}

char default_time_unit(const Parameter& parameter) {
  const char last = parameter.default_value.empty() ? 's' : parameter.default_value.back();
  return unit_seconds(last) != 0 ? last : 's';
}

std::optional<Error> check_value(const Parameter& parameter, std::string_view value) {
  const auto limited = [&](std::int64_t lowest, std::int64_t highest) -> std::optional<Error> {
    Result<std::int64_t> number = parse_number(parameter.name, value, std::max(parameter.min, lowest),
                                               parameter.max != 0 ? parameter.max : highest);
    return number ? std::nullopt : std::optional(number.error());
  };
  switch (parameter.type) {
    case ParameterType::kBoolean:
    case ParameterType::kBooleanExpr: {
      const Result<bool> flag = parse_bool(parameter.name, value);
      return flag ? std::nullopt : std::optional(flag.error());
    }
    case ParameterType::kInteger:
    case ParameterType::kIntegerExpr:
      return limited(0, std::numeric_limits<int>::max());
    case ParameterType::kLong:
      return limited(0, std::numeric_limits<std::int64_t>::max());
    case ParameterType::kTime: {
      const auto time = parse_duration(parameter.name, value, default_time_unit(parameter));
      if (!time) return time.error();
      return check_limits(parameter.name, "time value", time->count(), parameter.min, parameter.max);
    }
    case ParameterType::kString:
    case ParameterType::kRaw:
    case ParameterType::kComputed:
    case ParameterType::kService:
    case ParameterType::kLegacy:
    case ParameterType::kRemoved:
      return check_limits(parameter.name, "parameter value length", static_cast<std::int64_t>(value.size()),
                          parameter.min, parameter.max);
  }
  return std::nullopt;
}

}  // namespace libconf
