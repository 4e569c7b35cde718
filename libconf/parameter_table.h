/// The one table of Postfix's built-in parameters, generated at build time from libconf/parameters.tsv.
///
///     const Parameter* p = find_parameter("message_size_limit");
///     p->type == ParameterType::kLong; p->default_value == "10240000";
///
/// Everything here is constant, and safe to use from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace libconf {

/// What a value must look like. `nint` and `nbool` are kInteger and kBoolean whose default is an expression.
enum class ParameterType : std::uint8_t {
  kBoolean,  ///< yes or no
  kInteger,  ///< a number that fits an int
  kIntegerExpr,
  kBooleanExpr,
  kLong,  ///< a number that fits a long
  kTime,  ///< a number with an optional unit: s m h d w
  kString,
  kRaw,       ///< a string whose $names are not main.cf's; Postfix's programs expand it later
  kComputed,  ///< a string whose default depends on the host
  kService,   ///< set by each program for itself
  kLegacy,    ///< an old name: recognised where it is set or used, not listed
  kRemoved,   ///< gone in the release that this table describes
};

/// Limits are inclusive; 0 means none. For strings they bound the length.
struct Parameter {
  std::string_view name;
  ParameterType type;
  std::int64_t min;
  std::int64_t max;
  std::string_view since;             ///< The first release that documents it; empty: before 2.0.
  std::string_view default_value;     ///< Not expanded. Empty for kComputed.
  std::string_view default_debian;    ///< In Debian 12's 3.7; "-" where that release lacks it.
  std::string_view replacement;       ///< Of a deprecated parameter: a name, "-" or "(default)". Else empty.
  std::string_view deprecated_since;  ///< Empty: not deprecated.
};

/// All rows, sorted by name (bytes).
std::span<const Parameter> all_parameters();

/// The row of `name`, or nullptr.
const Parameter* find_parameter(std::string_view name);

/// True for a parameter that `postconf -d` lists.
inline bool is_listed(const Parameter& parameter) {
  return parameter.type != ParameterType::kLegacy && parameter.type != ParameterType::kRemoved;
}

/// True for a built-in parameter of type kRaw: its $names are not to be looked up in main.cf.
bool is_raw(std::string_view name);

/// "integer", "boolean (yes or no)" and so on: for people.
std::string_view type_name(ParameterType type);

/// A parameter whose name is a service's (or a table's) name and a suffix.
struct DerivedParameter {
  std::string_view kind;          ///< "service", or a table type: "ldap", "mysql", ...
  std::string_view suffix;        ///< With its leading underscore.
  std::string_view default_from;  ///< The parameter that holds the default; empty for tables.
};

/// All rows, sorted by kind, then suffix.
std::span<const DerivedParameter> all_derived_parameters();
std::span<const DerivedParameter> derived_parameters(std::string_view kind);

/// The settings of a table type that is the client of something else, as `mysql` is; none for other types.
inline std::span<const DerivedParameter> table_settings(std::string_view type) {
  return type == "service" ? std::span<const DerivedParameter>{} : derived_parameters(type);
}

/// Whether `settings` has one named `name`, without an underscore: "dbname".
bool has_table_setting(std::span<const DerivedParameter> settings, std::string_view name);

}  // namespace libconf
