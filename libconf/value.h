/// Typed readings of a parameter's expanded value, with the limits of its row in the parameter table.
///
/// All functions are pure and thread-safe. Errors are kConfiguration, worded as Postfix's daemons word them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/parameter_table.h"
#include "libconf/result.h"

namespace libconf {

/// "yes" or "no", in any case of letters.
Result<bool> parse_bool(std::string_view name, std::string_view value);

/// A decimal number, as the types int and nint of the parameter table, and long. What does not fit is as bad
/// as what is no number.
Result<int> parse_int(std::string_view name, std::string_view value);
Result<std::int64_t> parse_long(std::string_view name, std::string_view value);

/// A number with a unit: s, m, h, d or w. `default_unit` applies where there is none (0: seconds).
Result<std::chrono::seconds> parse_duration(std::string_view name, std::string_view value,
                                            char default_unit = 's');

/// Words separated by blanks or commas; braces keep them together.
std::vector<std::string> parse_list(std::string_view value);

/// Holds a number against [min, max]; nothing: it fits. A `max` of 0 is none, as in the parameter table.
std::optional<Error> check_number(std::string_view name, std::int64_t number, std::int64_t min,
                                  std::int64_t max);

/// The same of a string's length. `shown`: what the message has in place of the value, where it is secret.
std::optional<Error> check_length(std::string_view name, std::string_view value, std::int64_t min,
                                  std::int64_t max, std::optional<std::string_view> shown = std::nullopt);

/// The unit of a time parameter's default ("4000s" gives 's', "1h" gives 'h'): Postfix reads a bare number in
/// it.
char default_time_unit(const Parameter& parameter);

/// Holds an expanded value against its row: type and limits. Nothing: it is good. No number may be below 0;
/// Postfix takes those where the row has no lower limit.
std::optional<Error> check_value(const Parameter& parameter, std::string_view value);

}  // namespace libconf
