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

/// A decimal number that fits [min, max]; a limit of 0 is none, as in the parameter table.
Result<std::int64_t> parse_number(std::string_view name, std::string_view value, std::int64_t min,
                                  std::int64_t max);

/// A number with a unit: s, m, h, d or w. `default_unit` applies where there is none (0: seconds).
Result<std::chrono::seconds> parse_duration(std::string_view name, std::string_view value,
                                            char default_unit = 's');

/// Words separated by blanks or commas; braces keep them together.
std::vector<std::string> parse_list(std::string_view value);

/// The unit of a time parameter's default ("4000s" gives 's', "1h" gives 'h'): Postfix reads a bare number in
/// it.
char default_time_unit(const Parameter& parameter);

/// Holds an expanded value against its row: type and limits. Nothing: it is good.
std::optional<Error> check_value(const Parameter& parameter, std::string_view value);

}  // namespace libconf
