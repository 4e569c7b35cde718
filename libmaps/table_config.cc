#include "libmaps/table_config.h"

#include <sys/stat.h>

#include <limits>

#include "libconf/main_cf_document.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "libmaps/secret_setting.h"

namespace libmaps {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::MainCfDocument;
using libconf::MainCfEntry;
using libconf::Result;

namespace {

/// A value as messages show it.
std::string_view shown(std::string_view setting, std::string_view value) {
  return is_secret(setting, value) ? kHidden : value;
}

}  // namespace

Result<TableConfig> TableConfig::open(std::string_view name, const TableContext& context) {
  TableConfig config(name, context.settings);
  config.is_file_ = name.starts_with('/') || name.starts_with('.');
  if (!config.is_file_) return config;

  const Result<MainCfDocument> document = MainCfDocument::load(config.name_);
  if (!document) return document.error();
  const SecretLines secrets(*document);
  HidingSink warnings(secrets, context.warnings);
  document->report(warnings);
  if (const MainCfEntry* fault = document->first_fault()) {
    Error error = document->fault_error(*fault);
    error.message = secrets.hide(std::move(error.message), error.line);
    return error;
  }
  for (const MainCfEntry& entry : document->entries())
    config.values_.insert_or_assign(std::string(entry.name),
                                    FileSetting{.value = std::string(entry.value), .line = entry.line});
  struct stat status {};
  config.is_readable_by_all_ = ::stat(config.name_.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
  return config;
}

std::string TableConfig::full_name(std::string_view setting) const {
  return is_file_ ? std::string(setting) : concat(name_, "_", setting);
}

Error TableConfig::in_place(Error error) const {
  if (!is_file_) return error;
  error.message = concat(name_, ": ", error.message);
  error.file = name_;
  return error;
}

Result<std::optional<std::string>> TableConfig::find(std::string_view setting) const {
  const std::string name = full_name(setting);
  if (is_file_) {
    const auto found = values_.find(name);
    return found == values_.end() ? std::optional<std::string>() : found->second.value;
  }
  if (!settings_->explicit_setting(name)) return std::optional<std::string>();
  Result<std::string> value = settings_->get(name);
  if (!value) return value.error();
  return std::optional(std::move(*value));
}

Result<std::string> TableConfig::get_string(std::string_view setting, std::string_view fallback,
                                            SettingLimits limits) const {
  Result<std::optional<std::string>> found = find(setting);
  if (!found) return found.error();
  std::string value = *found ? std::move(**found) : std::string(fallback);
  const auto length = static_cast<std::int64_t>(value.size());
  const auto bad_length = [&](std::string_view relation, std::int64_t limit) {
    return in_place(
        {.kind = ErrorKind::kConfiguration,
         .message = concat("bad string length ", std::to_string(length), relation, std::to_string(limit),
                           ": ", full_name(setting), " = ", shown(setting, value))});
  };
  if (length < limits.min) return bad_length(" < ", limits.min);
  if (limits.max != 0 && length > limits.max) return bad_length(" > ", limits.max);
  return value;
}

Result<std::int64_t> TableConfig::get_int(std::string_view setting, std::int64_t fallback,
                                          SettingLimits limits) const {
  const Result<std::optional<std::string>> found = find(setting);
  if (!found) return found.error();
  if (!*found) return fallback;
  const std::string name = full_name(setting);
  // Postfix reads an int, and calls what does not fit one not a number.
  constexpr std::int64_t kLowest = std::numeric_limits<int>::min();
  constexpr std::int64_t kHighest = std::numeric_limits<int>::max();
  const Result<std::int64_t> number = libconf::parse_number(name, **found, kLowest, kHighest);
  if (!number)
    return in_place(
        {.kind = ErrorKind::kConfiguration,
         .message = concat("bad numerical configuration: ", name, " = ", shown(setting, **found))});
  const auto out_of_range = [&](std::string_view relation, std::int64_t limit) {
    return in_place({.kind = ErrorKind::kConfiguration,
                     .message = concat("invalid ", name, " parameter value ", std::to_string(*number),
                                       relation, std::to_string(limit))});
  };
  if (limits.min != 0 && *number < limits.min) return out_of_range(" < ", limits.min);
  if (limits.max != 0 && *number > limits.max) return out_of_range(" > ", limits.max);
  return *number;
}

Result<bool> TableConfig::get_bool(std::string_view setting, bool fallback) const {
  const Result<std::optional<std::string>> found = find(setting);
  if (!found) return found.error();
  if (!*found) return fallback;
  const Result<bool> flag = libconf::parse_bool(full_name(setting), shown(setting, **found));
  if (!flag) return in_place(flag.error());
  return *flag;
}

}  // namespace libmaps
