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
  if (const std::optional<Error> error =
          libconf::check_length(full_name(setting), value, limits.min, limits.max, shown(setting, value)))
    return in_place(*error);
  return value;
}

Result<std::int64_t> TableConfig::get_int(std::string_view setting, std::int64_t fallback,
                                          SettingLimits limits) const {
  const Result<std::optional<std::string>> found = find(setting);
  if (!found) return found.error();
  if (!*found) return fallback;
  const std::string name = full_name(setting);
  const Result<int> number = libconf::parse_int(name, shown(setting, **found));
  if (!number) return in_place(number.error());
  const std::int64_t min = limits.min != 0 ? limits.min : std::numeric_limits<int>::min();
  if (const std::optional<Error> error = libconf::check_number(name, *number, min, limits.max))
    return in_place(*error);
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
