#include "libmaps/cached_table.h"

#include <list>
#include <unordered_map>

namespace libmaps {
namespace {

class CachedTable final : public Table {
 public:
  CachedTable(std::unique_ptr<Table> inner, CacheLimits limits, std::function<CacheClock::time_point()> now)
      : Table(inner->name()), inner_(std::move(inner)), limits_(limits), now_(std::move(now)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    if (const Entry* entry = find(key)) return entry->value;
    Result<std::optional<std::string>> value = inner_->lookup(key);
    if (value) remember(key, *value);
    return value;
  }

  Result<void> hold() override { return inner_->hold(); }
  void release() override { inner_->release(); }
  void expect(std::string_view key) override {
    if (find(key) == nullptr) inner_->expect(key);
  }
  std::size_t lookahead() const override { return inner_->lookahead(); }

 private:
  struct Entry {
    std::string key;
    std::optional<std::string> value;
    CacheClock::time_point expires;
  };

  /// The entry that is remembered and fresh, which becomes the one used last; or null.
  const Entry* find(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    const auto entry = found->second;
    if (now_() >= entry->expires) {
      index_.erase(found);
      entries_.erase(entry);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return &*entry;
  }

  void remember(std::string_view key, const std::optional<std::string>& value) {
    if (entries_.size() == limits_.size) {
      index_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({.key = std::string(key), .value = value, .expires = now_() + limits_.ttl});
    index_.emplace(entries_.front().key, entries_.begin());
  }

  std::unique_ptr<Table> inner_;
  CacheLimits limits_;
  std::function<CacheClock::time_point()> now_;
  std::list<Entry> entries_;  ///< The one used last is the first.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  ///< By the entries' own keys.
};

}  // namespace

std::unique_ptr<Table> cache_lookups(std::unique_ptr<Table> inner, CacheLimits limits,
                                     std::function<CacheClock::time_point()> now) {
  return std::make_unique<CachedTable>(std::move(inner), limits, std::move(now));
}

}  // namespace libmaps
