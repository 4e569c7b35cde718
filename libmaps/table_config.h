/// The settings of a table that is the client of something else: an SQL database, a directory, a server.
///
///     auto config = TableConfig::open("/etc/postfix/aliases.cf", context);
///     if (!config) return config.error();
///     Result<std::string> path = config->get_string("dbpath", "", {.min = 1});
///
/// They are in a file of their own, with the syntax of main.cf but without `$name`; or, when the table's name
/// starts with neither '/' nor '.', in main.cf as NAME_setting (sqlite_table(5), OBSOLETE MAIN.CF
/// PARAMETERS).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// Of a string its length, of a number its value. A limit of 0 is none.
struct SettingLimits {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

/// One setting of a file, where it stands last.
struct FileSetting {
  std::string value;
  int line = 0;
};

/// Thread-safe once opened, as far as the Settings of the context are.
class TableConfig {
 public:
  /// `name` is what follows "type:". The context's sink gets what reading the file warns of. Errors:
  /// kInputOutput, "open FILE: REASON"; kSyntax, for the first malformed line of the file. None of
  /// these shows a secret (libmaps/secret_setting.h).
  static libconf::Result<TableConfig> open(std::string_view name, const TableContext& context);

  /// The table's name, as messages give it: "./aliases.cf".
  const std::string& name() const { return name_; }

  /// The settings of the file, by name. Empty when they are in main.cf.
  const std::map<std::string, FileSetting, std::less<>>& file_settings() const { return values_; }

  /// Whether they are in a file that every user of the system can read.
  bool is_readable_by_all() const { return is_readable_by_all_; }

  /// Values, or `fallback` where the setting is not given. Errors: kConfiguration, in Postfix's words ("FILE:
  /// bad string length 0 < 1: dbpath = ", "FILE: invalid max_try parameter value 0 < 1"), without the value
  /// of a secret; from main.cf also kSyntax, for a bad `$` expression.
  libconf::Result<std::string> get_string(std::string_view setting, std::string_view fallback,
                                          SettingLimits limits = {}) const;
  libconf::Result<std::int64_t> get_int(std::string_view setting, std::int64_t fallback,
                                        SettingLimits limits = {}) const;
  libconf::Result<bool> get_bool(std::string_view setting, bool fallback) const;

 private:
  TableConfig(std::string_view name, const libconf::Settings& settings) : name_(name), settings_(&settings) {}

  libconf::Result<std::optional<std::string>> find(std::string_view setting) const;
  std::string full_name(std::string_view setting) const;
  libconf::Error in_place(libconf::Error error) const;

  std::string name_;
  bool is_file_ = false;
  const libconf::Settings* settings_;
  std::map<std::string, FileSetting, std::less<>> values_;
  bool is_readable_by_all_ = false;
};

}  // namespace libmaps
