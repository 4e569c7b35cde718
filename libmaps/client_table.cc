#include "libmaps/client_table.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libmaps/cached_table.h"
#include "libmaps/secret_setting.h"

namespace libmaps {
namespace {

using libconf::concat;

using Setting = std::pair<const std::string, FileSetting>;

/// The settings of the file, in its order.
std::vector<const Setting*> in_order(const TableConfig& config) {
  std::vector<const Setting*> settings;
  for (const Setting& setting : config.file_settings()) settings.push_back(&setting);
  std::sort(settings.begin(), settings.end(),
            [](const Setting* a, const Setting* b) { return a->second.line < b->second.line; });
  return settings;
}

libconf::Diagnostic about(const Setting& setting, const TableConfig& config, std::string_view code,
                          std::string_view what) {
  const int line = setting.second.line;
  return {.file = config.name(),
          .line = line,
          .code = code,
          .message = concat(config.name(), ", line ", std::to_string(line), ": ", what)};
}

void warn_of_unused(std::string_view type, const TableConfig& config, libconf::DiagnosticSink& warnings) {
  const auto known = libconf::table_settings(type);
  for (const Setting* setting : in_order(config))
    if (!libconf::has_table_setting(known, setting->first))
      warnings.report(
          about(*setting, config, "unused-parameter", concat("unused parameter: ", setting->first)));
}

void warn_of_readable(const TableConfig& config, libconf::DiagnosticSink& warnings) {
  if (!config.is_readable_by_all()) return;
  for (const Setting* setting : in_order(config))
    if (is_secret(setting->first, setting->second.value))
      warnings.report(
          about(*setting, config, "readable-secret",
                concat("everyone can read the ", setting->first, "; use \"chmod o-r ", config.name(), "\"")));
}

Result<CacheLimits> read_cache_limits(const TableConfig& config) {
  const Result<std::int64_t> size = config.get_int("cache_size", 0);
  if (!size) return size.error();
  const Result<std::int64_t> ttl = config.get_int("cache_ttl", 0);
  if (!ttl) return ttl.error();
  if (*size <= 0 || *ttl <= 0) return CacheLimits();
  return CacheLimits{.size = static_cast<std::size_t>(*size), .ttl = std::chrono::seconds(*ttl)};
}

}  // namespace

Result<TableConfig> open_client_config(std::string_view type, std::string_view name,
                                       const TableContext& context) {
  Result<TableConfig> config = TableConfig::open(name, context);
  if (config) warn_of_unused(type, *config, context.warnings);
  return config;
}

Result<std::unique_ptr<Table>> open_client(std::string_view type, std::string_view name,
                                           const TableContext& context, ClientMaker make) {
  const Result<TableConfig> config = open_client_config(type, name, context);
  if (!config) return config.error();
  const Result<CacheLimits> limits = read_cache_limits(*config);
  if (!limits) return limits.error();
  Result<std::unique_ptr<Table>> table = make(*config, context);
  if (!table) return table;
  // Advice is for tables that work: where one does not, Postfix's error stands alone.
  warn_of_readable(*config, context.warnings);
  if (limits->size == 0) return table;
  return cache_lookups(std::move(*table), *limits);
}

}  // namespace libmaps
