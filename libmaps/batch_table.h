/// A table that can send several queries to its server before it reads the first answer: keys that were
/// announced with expect() are asked for together.
///
///     class RedisTable final : public BatchTable {
///       std::vector<Answer> fetch(std::span<const std::string> keys) override;  // sends all, then reads all
///     };
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/table.h"

namespace libmaps {

/// Not thread-safe.
class BatchTable : public Table {
 public:
  using Table::Table;

  /// An answer that came with those before it, or else one that is fetched now.
  Result<std::optional<std::string>> lookup(std::string_view key) final;
  void expect(std::string_view key) final { expected_.emplace_back(key); }
  std::size_t lookahead() const override { return kMaxBatch; }
  /// Forgets what was announced and what was not asked for.
  void release() override;

 protected:
  using Answer = Result<std::optional<std::string>>;

  /// More keys than these are never fetched together.
  static constexpr std::size_t kMaxBatch = 64;

  /// Whether to ask for a key at all; one that is not accepted is not found. Also called for keys that may
  /// never be asked for, but not for empty ones, as tables have something to say about those.
  virtual Result<bool> accepts(std::string_view /*key*/) { return true; }

  /// The answers to a prefix of `keys`, in their order: to the first at least, and none after the first
  /// error. Whoever asked for an earlier key may never ask for the later ones, so that what is wrong with one
  /// of those must not be reported before its turn. REQUIRES: `keys` is not empty, and all are accepted.
  virtual std::vector<Answer> fetch(std::span<const std::string> keys) = 0;

  /// What becomes of a fetched answer when its key is asked for. Here is the place for what must not be done,
  /// or warned of, for a key that may never be asked for.
  virtual Answer conclude(std::string_view /*key*/, Answer answer) { return answer; }

 private:
  struct Fetched {
    std::string key;
    Answer answer;
    bool is_accepted = true;
  };

  void fetch_from(std::string_view key);

  std::deque<std::string> expected_;
  std::deque<Fetched> fetched_;
};

}  // namespace libmaps
