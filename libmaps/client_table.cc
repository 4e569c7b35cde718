#include "libmaps/client_table.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libmaps/cached_table.h"

namespace libmaps {
namespace {

using libconf::concat;

constexpr std::array<std::string_view, 2> kSecrets = {"bind_pw", "password"};

/// "scheme://user:password@host", anywhere in `value`.
bool has_password_in_url(std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority =
      value.substr(scheme + 3, value.find_first_of("/?# \t", scheme + 3) - scheme - 3);
  const std::size_t at = authority.rfind('@');
  return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

bool is_secret(std::string_view setting, std::string_view value) {
  if (value.empty()) return false;
  if (std::find(kSecrets.begin(), kSecrets.end(), setting) != kSecrets.end()) return true;
  // Connections of PostgreSQL: "dbname=mail password=secret", "postgresql://db1/mail?password=secret".
  if ((setting == "dbname" || setting == "hosts") && value.find("password=") != std::string_view::npos)
    return true;
  return has_password_in_url(value);
}

void judge_settings(std::string_view type, const TableConfig& config, libconf::DiagnosticSink& warnings) {
  const auto known = libconf::table_settings(type);
  for (const auto& [name, setting] : config.file_settings()) {
    if (!libconf::has_table_setting(known, name))
      warnings.report({.file = config.name(),
                       .line = setting.line,
                       .code = "unused-parameter",
                       .message = concat(config.name(), ", line ", std::to_string(setting.line),
                                         ": unused parameter: ", name)});
    if (config.is_readable_by_all() && is_secret(name, setting.value))
      warnings.report(
          {.file = config.name(),
           .line = setting.line,
           .code = "readable-secret",
           .message = concat(config.name(), ", line ", std::to_string(setting.line),
                             ": everyone can read the ", name, "; use \"chmod o-r ", config.name(), "\"")});
  }
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
  judge_settings(type, *config, context.warnings);
  const Result<CacheLimits> limits = read_cache_limits(*config);
  if (!limits) return limits.error();
  Result<std::unique_ptr<Table>> table = make(*config, context);
  if (!table || limits->size == 0) return table;
  return cache_lookups(std::move(*table), *limits);
}

}  // namespace libmaps
