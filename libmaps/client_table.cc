#include "libmaps/client_table.h"

#include <chrono>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libmaps/cached_table.h"
#include "libmaps/secret_setting.h"

namespace libmaps {
namespace {

using libconf::concat;

void warn_of_unused(std::string_view type, const TableConfig& config, libconf::DiagnosticSink& warnings) {
  const auto known = libconf::table_settings(type);
  for (const auto& [name, setting] : config.file_settings())
    if (!libconf::has_table_setting(known, name))
      warnings.report({.file = config.name(),
                       .line = setting.line,
                       .code = "unused-parameter",
                       .message = concat(config.name(), ", line ", std::to_string(setting.line),
                                         ": unused parameter: ", name)});
}

void warn_of_readable(const TableConfig& config, libconf::DiagnosticSink& warnings) {
  if (!config.is_readable_by_all()) return;
  for (const auto& [name, setting] : config.file_settings())
    if (is_secret(name, setting.value))
      warnings.report(
          {.file = config.name(),
           .line = setting.line,
           .code = "readable-secret",
           .message = concat(config.name(), ", line ", std::to_string(setting.line),
                             ": everyone can read the ", name, "; use \"chmod o-r ", config.name(), "\"")});
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

Result<std::unique_ptr<Table>> open_client(std::string_view type, std::string_view name,
                                           const TableContext& context, ClientMaker make) {
  const Result<TableConfig> config = TableConfig::open(name, context);
  if (!config) return config.error();
  warn_of_unused(type, *config, context.warnings);
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
