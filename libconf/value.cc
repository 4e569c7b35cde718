#include "libconf/value.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "libconf/text.h"

namespace libconf {
namespace {

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

/// "0 < 1" or "11 > 10", where `value` is not in [min, max].
std::optional<std::string> excess(std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value < min) return concat(std::to_string(value), " < ", std::to_string(min));
  if (max != 0 && value > max) return concat(std::to_string(value), " > ", std::to_string(max));
  return std::nullopt;
}

/// std::from_chars() knows no plus sign in front, strtol(3) does.
std::string_view without_plus(std::string_view digits) {
  const bool has_plus = digits.size() > 1 && digits[0] == '+' && digits[1] >= '0' && digits[1] <= '9';
  return has_plus ? digits.substr(1) : digits;
}

template <class Number>
Result<Number> parse_number(std::string_view name, std::string_view value) {
  Number number = 0;
  const std::string_view digits = without_plus(value);
  const char* const end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, number);
  if (code != std::errc() || stop != end)
    return configuration_error(concat("bad numerical configuration: ", name, " = ", value));
  return number;
}

/// A number of the type that the row has, within its limits.
template <class Number>
std::optional<Error> check_as(const Result<Number>& number, const Parameter& parameter) {
  if (!number) return number.error();
  return check_number(parameter.name, *number, std::max<std::int64_t>(parameter.min, 0), parameter.max);
}

std::optional<Error> check_time(const Parameter& parameter, std::string_view value) {
  const auto time = parse_duration(parameter.name, value, default_time_unit(parameter));
  if (!time) return time.error();
  const auto beyond = [&](std::string_view which, std::int64_t limit) {
    return configuration_error(concat("invalid ", parameter.name, ": ", std::to_string(time->count()), " (",
                                      which, " ", std::to_string(limit), ")"));
  };
  if (time->count() < parameter.min) return beyond("min", parameter.min);
  if (parameter.max != 0 && time->count() > parameter.max) return beyond("max", parameter.max);
  return std::nullopt;
}

}  // namespace

Result<bool> parse_bool(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(value, "yes")) return true;
  if (equals_ignoring_case(value, "no")) return false;
  return configuration_error(concat("bad boolean configuration: ", name, " = ", value));
}

Result<int> parse_int(std::string_view name, std::string_view value) {
  return parse_number<int>(name, value);
}

Result<std::int64_t> parse_long(std::string_view name, std::string_view value) {
  return parse_number<std::int64_t>(name, value);
}

Result<std::chrono::seconds> parse_duration(std::string_view name, std::string_view value,
                                            char default_unit) {
  std::int64_t number = 0;
  const std::string_view text = without_plus(value);
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  char unit = default_unit;
  if (end - stop == 1) unit = *stop >= 'A' && *stop <= 'Z' ? static_cast<char>(*stop - 'A' + 'a') : *stop;
  std::int64_t seconds = 0;
  const bool is_good = code == std::errc() && end - stop <= 1 && unit_seconds(unit) != 0 && number >= 0 &&
                       !__builtin_mul_overflow(number, unit_seconds(unit), &seconds) &&
                       seconds <= std::numeric_limits<int>::max();
  if (!is_good) return configuration_error(concat("parameter ", name, ": bad time value or unit: ", value));
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

std::optional<Error> check_number(std::string_view name, std::int64_t number, std::int64_t min,
                                  std::int64_t max) {
  const std::optional<std::string> wrong = excess(number, min, max);
  if (!wrong) return std::nullopt;
  return configuration_error(concat("invalid ", name, " parameter value ", *wrong));
}

std::optional<Error> check_length(std::string_view name, std::string_view value, std::int64_t min,
                                  std::int64_t max, std::optional<std::string_view> shown) {
  const std::optional<std::string> wrong = excess(static_cast<std::int64_t>(value.size()), min, max);
  if (!wrong) return std::nullopt;
  return configuration_error(concat("bad string length ", *wrong, ": ", name, " = ", shown.value_or(value)));
}

std::optional<Error> check_value(const Parameter& parameter, std::string_view value) {
  switch (parameter.type) {
    case ParameterType::kBoolean:
    case ParameterType::kBooleanExpr: {
      const Result<bool> flag = parse_bool(parameter.name, value);
      return flag ? std::nullopt : std::optional(flag.error());
    }
    case ParameterType::kInteger:
    case ParameterType::kIntegerExpr:
      return check_as(parse_int(parameter.name, value), parameter);
    case ParameterType::kLong:
      return check_as(parse_long(parameter.name, value), parameter);
    case ParameterType::kTime:
      return check_time(parameter, value);
    case ParameterType::kRaw: {
      const auto wrong = excess(static_cast<std::int64_t>(value.size()), parameter.min, parameter.max);
      if (!wrong) return std::nullopt;
      return configuration_error(concat("bad string length (", *wrong, "): ", parameter.name, " = ", value));
    }
    case ParameterType::kString:
    case ParameterType::kComputed:
    case ParameterType::kService:
    case ParameterType::kLegacy:
    case ParameterType::kRemoved:
      return check_length(parameter.name, value, parameter.min, parameter.max);
  }
  return std::nullopt;
}

}  // namespace libconf
