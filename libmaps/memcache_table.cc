#include "libmaps/memcache_table.h"

#include <array>

#include "libconf/text.h"
#include "libmaps/batch_table.h"
#include "libmaps/client_table.h"
#include "libmaps/memcache_client.h"
#include "libmaps/open.h"
#include "libmaps/query_template.h"

namespace libmaps {
namespace {

using libconf::concat;

std::string full_name(const TableConfig& config) { return concat("memcache:", config.name()); }

Result<MemcacheSettings> read_settings(const TableConfig& config, const TableContext& context) {
  std::int64_t timeout = 0, ttl = 0, flags = 0, retry_pause = 0, max_try = 0, line_size = 0, data_size = 0;
  const struct {
    std::int64_t* value;
    std::string_view setting;
    std::int64_t fallback;
    SettingLimits limits;
  } numbers[] = {
      {&timeout, "timeout", 2, {}},
      {&ttl, "ttl", 3600, {}},
      {&flags, "flags", 0, {}},
      {&retry_pause, "retry_pause", 1, {.min = 1}},
      {&max_try, "max_try", 2, {.min = 1}},
      {&line_size, "line_size_limit", 1024, {.min = 1}},
      {&data_size, "data_size_limit", 10240, {.min = 1}},
  };
  for (const auto& [value, setting, fallback, limits] : numbers) {
    const Result<std::int64_t> read = config.get_int(setting, fallback, limits);
    if (!read) return read.error();
    *value = *read;
  }
  const Result<std::string> server = config.get_string("memcache", "inet:localhost:11211");
  if (!server) return server.error();
  Result<Endpoint> endpoint = parse_endpoint(*server, context.settings);
  if (!endpoint) return endpoint.error();

  // 0 is no limit to Postfix; no wait here is without one.
  constexpr std::int64_t kLongestTimeout = 60;
  return MemcacheSettings{
      .endpoint = std::move(*endpoint),
      .timeout = std::chrono::seconds(timeout > 0 ? timeout : kLongestTimeout),
      .retry_pause = std::chrono::seconds(retry_pause),
      .max_try = static_cast<int>(max_try),
      .limits = {.line_size = static_cast<std::size_t>(line_size),
                 .data_size = static_cast<std::size_t>(data_size)},
      .entry = {.flags = static_cast<int>(flags), .ttl = static_cast<int>(ttl)},
  };
}

/// The server, and which keys it is asked for.
class Cache {
 public:
  static Result<Cache> make(const TableConfig& config, MemcacheSettings settings,
                            const TableContext& context) {
    const Result<std::string> key_format = config.get_string("key_format", "%s");
    if (!key_format) return key_format.error();
    Result<QueryKeys> keys = QueryKeys::parse(config, std::array<std::string_view, 1>{*key_format});
    if (!keys) return keys.error();
    if (Result<void> read = keys->read_domains(config, context); !read) return read.error();
    return Cache(std::move(*keys),
                 MemcacheClient(std::move(settings), full_name(config), config.name(), context.warnings));
  }

  /// False when a key is not in the table, nor in the backup. Errors: the domain list.
  Result<bool> accepts(std::string_view key) const {
    Result<bool> is_accepted = keys_.accepts(key);
    if (!is_accepted || !*is_accepted) return is_accepted;
    return is_memcache_key(key_for(key));
  }

  /// The server's key. REQUIRES: accepts(key).
  std::string key_for(std::string_view key) const { return keys_.query_for(key, {}); }

  MemcacheClient& client() { return client_; }

 private:
  Cache(QueryKeys keys, MemcacheClient client) : keys_(std::move(keys)), client_(std::move(client)) {}

  QueryKeys keys_;
  MemcacheClient client_;
};

class MemcacheTable final : public BatchTable {
 public:
  MemcacheTable(std::string name, Cache cache, std::unique_ptr<Table> backup)
      : BatchTable(std::move(name)), cache_(std::move(cache)), backup_(std::move(backup)) {}

 private:
  Result<bool> accepts(std::string_view key) override { return cache_.accepts(key); }

  /// What the server has.
  std::vector<Answer> fetch(std::span<const std::string> keys) override {
    std::vector<std::string> cache_keys;
    for (const std::string& key : keys) cache_keys.push_back(cache_.key_for(key));
    return cache_.client().get(cache_keys);
  }

  /// What the backup has, when the server does not.
  Answer conclude(std::string_view key, Answer answer) override {
    if (backup_ == nullptr || (answer && *answer)) return answer;
    Answer value = backup_->lookup(key);
    // A failure is warned of, and changes nothing about what the backup has.
    if (value && *value) static_cast<void>(cache_.client().set(cache_.key_for(key), **value, false));
    return value;
  }

  Cache cache_;
  std::unique_ptr<Table> backup_;  ///< Null: none.
};

/// Lists the backup under this table's name.
class MemcacheListing final : public IterableTable {
 public:
  MemcacheListing(const std::string& name, Cache cache, std::unique_ptr<IterableTable> backup,
                  libconf::DiagnosticSink& warnings)
      : IterableTable(name),
        backup_(backup.get()),
        table_(name, std::move(cache), std::move(backup)),
        warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override { return table_.lookup(key); }

  Result<void> for_each(const EntryVisitor& visit) override {
    if (backup_ != nullptr) return backup_->for_each(visit);
    warnings_.warn("no-backup-table",
                   concat("database ", name(), ": first/next support requires backup database"));
    return {};
  }

 private:
  IterableTable* backup_;  ///< Of the table; null: none.
  MemcacheTable table_;
  libconf::DiagnosticSink& warnings_;
};

class MemcacheChanges final : public WritableTable {
 public:
  MemcacheChanges(std::string name, Cache cache, std::unique_ptr<WritableTable> backup,
                  libconf::DiagnosticSink& warnings)
      : WritableTable(std::move(name)),
        cache_(std::move(cache)),
        backup_(std::move(backup)),
        warnings_(warnings) {}

  Result<bool> store(std::string_view key, std::string_view value, bool replace) override {
    const Result<bool> is_accepted = cache_.accepts(key);
    if (!is_accepted) return is_accepted.error();
    if (!*is_accepted) {
      warnings_.warn("key-skipped",
                     concat("database ", name(), ": update skipped: ", libconf::printable(key)));
      return false;
    }
    if (!backup_) return cache_.client().set(cache_.key_for(key), value, !replace);
    Result<bool> stored = backup_->store(key, value, replace);
    if (stored && *stored) static_cast<void>(cache_.client().set(cache_.key_for(key), value, false));
    return stored;
  }

  Result<bool> remove(std::string_view key) override {
    Result<bool> is_accepted = cache_.accepts(key);
    if (!is_accepted || !*is_accepted) return is_accepted;
    Result<bool> removed = cache_.client().remove(cache_.key_for(key));
    return backup_ ? backup_->remove(key) : removed;
  }

  Result<void> finish() override { return backup_ ? backup_->finish() : Result<void>(); }

 private:
  Cache cache_;
  std::unique_ptr<WritableTable> backup_;  ///< Null: none.
  libconf::DiagnosticSink& warnings_;
};

/// What a table is made of, whatever it is for.
template <class Backup>
struct Parts {
  Cache cache;
  std::unique_ptr<Backup> backup;
};

/// Reads the settings in Postfix's order. `open_backup` opens the backup table where one is named.
template <class Backup, class Open>
Result<Parts<Backup>> make_parts(const TableConfig& config, const TableContext& context,
                                 const Open& open_backup) {
  Result<MemcacheSettings> settings = read_settings(config, context);
  if (!settings) return settings.error();
  const Result<std::string> name = config.get_string("backup", "");
  if (!name) return name.error();
  std::unique_ptr<Backup> backup;
  if (!name->empty()) {
    const Result<TableSpec> spec = parse_spec(*name, "");
    if (!spec) return spec.error();
    TableContext backup_context = context;
    backup_context.options.decode_files = false;  // Only what comes out at the end is a file.
    Result<std::unique_ptr<Backup>> opened = open_backup(*spec, backup_context);
    if (!opened) return opened.error();
    backup = std::move(*opened);
  }
  Result<Cache> cache = Cache::make(config, std::move(*settings), context);
  if (!cache) return cache.error();
  return Parts<Backup>{std::move(*cache), std::move(backup)};
}

Result<std::unique_ptr<Table>> make_memcache(const TableConfig& config, const TableContext& context) {
  auto parts = make_parts<Table>(config, context,
                                 [](TableSpec spec, const TableContext& inner) { return open(spec, inner); });
  if (!parts) return parts.error();
  return std::make_unique<MemcacheTable>(full_name(config), std::move(parts->cache),
                                         std::move(parts->backup));
}

}  // namespace

Result<std::unique_ptr<Table>> open_memcache(std::string_view name, const TableContext& context) {
  return open_client("memcache", name, context, make_memcache);
}

Result<std::unique_ptr<IterableTable>> open_iterable_memcache(std::string_view name,
                                                              const TableContext& context) {
  const Result<TableConfig> config = open_client_config("memcache", name, context);
  if (!config) return config.error();
  auto parts = make_parts<IterableTable>(*config, context, open_iterable);
  if (!parts) return parts.error();
  return std::make_unique<MemcacheListing>(full_name(*config), std::move(parts->cache),
                                           std::move(parts->backup), context.warnings);
}

Result<std::unique_ptr<WritableTable>> open_writable_memcache(std::string_view name, IfAbsent if_absent,
                                                              const TableContext& context) {
  const Result<TableConfig> config = open_client_config("memcache", name, context);
  if (!config) return config.error();
  auto parts =
      make_parts<WritableTable>(*config, context, [if_absent](TableSpec spec, const TableContext& inner) {
        return open_writable(spec, if_absent, inner);
      });
  if (!parts) return parts.error();
  return std::make_unique<MemcacheChanges>(full_name(*config), std::move(parts->cache),
                                           std::move(parts->backup), context.warnings);
}

}  // namespace libmaps
