#include "tools/mta/delivery/verify_cache.h"

#include <charconv>
#include <utility>
#include <vector>

#include "libconf/text.h"
#include "libmaps/open.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

/// Where Postfix's cache manager remembers when it was done last.
constexpr std::string_view kLastCleanup = "_LAST_CACHE_CLEANUP_COMPLETED_";

/// A probe that has not been heard of for so long is lost.
constexpr std::time_t kProbeTime = 1000;

std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + colon, number);
  if (failure != std::errc() || end != text.data() + colon || number < 0) return std::nullopt;
  text.remove_prefix(colon + 1);
  return number;
}

}  // namespace

std::string verify_value(const VerifyEntry& entry) {
  return concat(std::to_string(static_cast<int>(entry.status)), ":", std::to_string(entry.probed), ":",
                std::to_string(entry.updated), ":", entry.text);
}

std::optional<VerifyEntry> parse_verify_value(std::string_view value) {
  const std::optional<std::int64_t> status = take_number(value);
  if (!status || *status > static_cast<int>(ProbeStatus::kPending)) return std::nullopt;
  const std::optional<std::int64_t> probed = take_number(value);
  if (!probed) return std::nullopt;
  const std::optional<std::int64_t> updated = take_number(value);
  if (!updated || value.empty()) return std::nullopt;
  return VerifyEntry{.status = static_cast<ProbeStatus>(*status),
                     .probed = *probed,
                     .updated = *updated,
                     .text = std::string(value)};
}

Result<VerifyCache> VerifyCache::open(const libconf::Settings& settings, libconf::DiagnosticSink& warnings) {
  VerifyCache cache(settings, warnings);
  Result<std::string> map = settings.get("address_verify_map");
  if (!map) return map.error();
  cache.map_ = std::string(libconf::trim(*map));
  const struct {
    std::string_view parameter;
    std::time_t& value;
  } times[] = {{"address_verify_positive_expire_time", cache.positive_expire_},
               {"address_verify_positive_refresh_time", cache.positive_refresh_},
               {"address_verify_negative_expire_time", cache.negative_expire_},
               {"address_verify_negative_refresh_time", cache.negative_refresh_},
               {"address_verify_cache_cleanup_interval", cache.cleanup_interval_}};
  for (const auto& [parameter, value] : times) {
    const Result<std::chrono::seconds> time = settings.get_duration(parameter);
    if (!time) return time.error();
    value = time->count();
  }
  const Result<bool> keeps_failures = settings.get_bool("address_verify_negative_cache");
  if (!keeps_failures) return keeps_failures.error();
  cache.keeps_failures_ = *keeps_failures;
  return cache;
}

libmaps::TableContext VerifyCache::context() const {
  // A service of this very process would have to answer for `proxy:`. Local parts may differ by case.
  return {
      .settings = settings_, .warnings = warnings_, .options = {.fold_keys = false, .bypass_proxy = true}};
}

void VerifyCache::prepare() {
  if (std::exchange(is_prepared_, true) || map_.empty()) return;
  const libmaps::TableContext context = this->context();
  const auto give_up = [&](const libconf::Error& error) {
    warnings_.warn("verify-cache", concat("address_verify_map: ", error.message));
    map_.clear();
  };
  const Result<libmaps::TableSpec> spec = libmaps::parse_spec(map_, "");
  if (!spec) return give_up(spec.error());
  {
    Result<std::unique_ptr<libmaps::WritableTable>> made =
        libmaps::open_writable(*spec, libmaps::IfAbsent::kCreate, context);
    if (!made) return give_up(made.error());
    if (const Result<void> finished = (*made)->finish(); !finished) return give_up(finished.error());
  }
  Result<std::unique_ptr<libmaps::Table>> table = libmaps::open(map_, context);
  if (!table) return give_up(table.error());
  table_ = std::move(*table);
}

Result<std::optional<std::string>> VerifyCache::read(std::string_view key) {
  prepare();
  if (table_ != nullptr) return table_->lookup(key);
  const auto found = memory_.find(key);
  if (found == memory_.end()) return std::nullopt;
  return found->second;
}

Result<void> VerifyCache::write(std::string_view key, std::string_view value) {
  prepare();
  if (table_ == nullptr) {
    memory_.insert_or_assign(std::string(key), std::string(value));
    return {};
  }
  Result<std::unique_ptr<libmaps::WritableTable>> table =
      libmaps::open_writable(*libmaps::parse_spec(map_, ""), libmaps::IfAbsent::kCreate, context());
  if (!table) return table.error();
  if (const Result<bool> stored = (*table)->store(key, value, true); !stored) return stored.error();
  return (*table)->finish();
}

bool VerifyCache::has_expired(const VerifyEntry& entry, std::time_t now) const {
  const bool is_good = entry.status == ProbeStatus::kDeliverable;
  return entry.updated + (is_good ? positive_expire_ : negative_expire_) < now;
}

std::optional<VerifyEntry> VerifyCache::find(std::string_view address, std::time_t now) {
  const Result<std::optional<std::string>> value = read(address);
  if (!value) {
    warnings_.warn("verify-cache", concat(map_, ": lookup of ", address, ": ", value.error().message));
    return std::nullopt;
  }
  if (!*value) return std::nullopt;
  std::optional<VerifyEntry> entry = parse_verify_value(**value);
  if (!entry || entry->status == ProbeStatus::kPending || has_expired(*entry, now)) return std::nullopt;
  return entry;
}

bool VerifyCache::is_stale(const VerifyEntry& entry, std::time_t now) const {
  const bool is_good = entry.status == ProbeStatus::kDeliverable;
  return entry.updated + (is_good ? positive_refresh_ : negative_refresh_) < now &&
         entry.probed + kProbeTime < now;
}

void VerifyCache::store(std::string_view address, const VerifyEntry& entry, std::time_t now) {
  if (entry.status != ProbeStatus::kDeliverable) {
    if (!keeps_failures_) return;
    const std::optional<VerifyEntry> old = find(address, now);
    if (old && old->status == ProbeStatus::kDeliverable) return;
  }
  if (const Result<void> written = write(address, verify_value(entry)); !written)
    warnings_.warn("verify-cache", concat(map_, ": ", written.error().message));
}

Result<VerifyCache::Cleanup> VerifyCache::sweep(std::time_t now) {
  Cleanup cleanup;
  std::vector<std::string> expired;
  const auto visit = [&](std::string_view key, std::string_view value) -> Result<void> {
    if (key == kLastCleanup) return {};
    const std::optional<VerifyEntry> entry = parse_verify_value(value);
    if (entry && !has_expired(*entry, now)) {
      ++cleanup.retained;
    } else {
      expired.emplace_back(key);
    }
    return {};
  };
  if (table_ == nullptr) {
    for (const auto& [key, value] : memory_)
      if (const Result<void> visited = visit(key, value); !visited) return visited.error();
    for (const std::string& key : expired) memory_.erase(key);
    cleanup.dropped = expired.size();
    return cleanup;
  }
  const libmaps::TableSpec spec = *libmaps::parse_spec(map_, "");
  {
    Result<std::unique_ptr<libmaps::IterableTable>> all = libmaps::open_iterable(spec, context());
    if (!all) return all.error();
    if (const Result<void> visited = (*all)->for_each(visit); !visited) return visited.error();
  }
  if (!expired.empty()) {
    Result<std::unique_ptr<libmaps::WritableTable>> table =
        libmaps::open_writable(spec, libmaps::IfAbsent::kCreate, context());
    if (!table) return table.error();
    for (const std::string& key : expired)
      if (const Result<bool> removed = (*table)->remove(key); !removed) return removed.error();
    if (const Result<void> finished = (*table)->finish(); !finished) return finished.error();
  }
  cleanup.dropped = expired.size();
  return cleanup;
}

std::optional<VerifyCache::Cleanup> VerifyCache::clean(std::time_t now) {
  if (cleanup_interval_ == 0 || now < next_cleanup_) return std::nullopt;
  const auto give_up = [&](const libconf::Error& error) {
    warnings_.warn("verify-cache", concat(map_, ": ", error.message));
    return std::nullopt;
  };
  const Result<std::optional<std::string>> last = read(kLastCleanup);
  if (!last) return give_up(last.error());
  if (*last) {
    std::time_t time = 0;
    std::from_chars((*last)->data(), (*last)->data() + (*last)->size(), time);
    next_cleanup_ = time + cleanup_interval_;
    if (now < next_cleanup_) return std::nullopt;
  }
  const Result<Cleanup> cleanup = sweep(now);
  if (!cleanup) return give_up(cleanup.error());
  if (const Result<void> written = write(kLastCleanup, std::to_string(now)); !written)
    return give_up(written.error());
  next_cleanup_ = now + cleanup_interval_;
  return *cleanup;
}

}  // namespace mta
