/// What is remembered of probes (verify(8); postconf(5), address_verify_map), in the form of Postfix's file.
///
///     auto cache = VerifyCache::open(settings, warnings);
///     std::optional<VerifyEntry> entry = cache->find("bob@example.com", now);
///     if (!entry || cache->is_stale(*entry, now)) probe("bob@example.com");
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace mta {

/// The numbers are those of the file.
enum class ProbeStatus : std::uint8_t { kDeliverable = 0, kDeferred = 1, kUndeliverable = 2, kPending = 3 };

struct VerifyEntry {
  ProbeStatus status = ProbeStatus::kPending;
  std::time_t probed = 0;   ///< When the probe that has no result yet was sent; 0: there is none.
  std::time_t updated = 0;  ///< When the status was found out.
  std::string text;         ///< Why.
  friend bool operator==(const VerifyEntry&, const VerifyEntry&) = default;
};

/// "0:0:1795936770:250 2.0.0 ok". Pure; thread-safe.
std::string verify_value(const VerifyEntry& entry);
/// Nothing: that is no such value.
std::optional<VerifyEntry> parse_verify_value(std::string_view value);

/// Not thread-safe, as tables are not. Times are seconds since the epoch.
class VerifyCache {
 public:
  /// Reads the settings; the table is opened, or made, when it is needed first, since the file must belong to
  /// mail_owner. When that fails, the sink is told, and what is remembered goes with the process, as it does
  /// without a table. `settings` and `warnings` must outlive the object. Errors: those of the settings.
  static libconf::Result<VerifyCache> open(const libconf::Settings& settings,
                                           libconf::DiagnosticSink& warnings);

  /// What is known of the address, in internal form, and has not expired.
  std::optional<VerifyEntry> find(std::string_view address, std::time_t now);

  /// Whether it is time for a new probe, though the entry still counts.
  bool is_stale(const VerifyEntry& entry, std::time_t now) const;

  /// A failure is not stored without address_verify_negative_cache, and does not replace what succeeded.
  void store(std::string_view address, const VerifyEntry& entry, std::time_t now);

  /// address_verify_negative_cache
  bool keeps_failures() const { return keeps_failures_; }

  /// What a look at all entries did.
  struct Cleanup {
    std::size_t retained = 0;
    std::size_t dropped = 0;
  };
  /// Drops what has expired, when address_verify_cache_cleanup_interval is over. Nothing: it is not.
  std::optional<Cleanup> clean(std::time_t now);

  /// The table, "btree:/var/lib/postfix/verify_cache"; empty: there is none.
  const std::string& name() const { return map_; }

 private:
  VerifyCache(const libconf::Settings& settings, libconf::DiagnosticSink& warnings)
      : settings_(settings), warnings_(warnings) {}
  bool has_expired(const VerifyEntry& entry, std::time_t now) const;
  libmaps::TableContext context() const;
  void prepare();
  libconf::Result<std::optional<std::string>> read(std::string_view key);
  libconf::Result<void> write(std::string_view key, std::string_view value);
  libconf::Result<Cleanup> sweep(std::time_t now);

  const libconf::Settings& settings_;
  libconf::DiagnosticSink& warnings_;
  std::string map_;
  bool is_prepared_ = false;
  std::unique_ptr<libmaps::Table> table_;
  std::map<std::string, std::string, std::less<>> memory_;  ///< Without a table.
  std::time_t positive_expire_ = 0;
  std::time_t positive_refresh_ = 0;
  std::time_t negative_expire_ = 0;
  std::time_t negative_refresh_ = 0;
  std::time_t cleanup_interval_ = 0;
  std::time_t next_cleanup_ = 0;
  bool keeps_failures_ = true;
};

}  // namespace mta
