#include "libmaps/batch_table.h"

#include <algorithm>
#include <iterator>

namespace libmaps {

Result<std::optional<std::string>> BatchTable::lookup(std::string_view key) {
  const auto is_answer = [key](const Fetched& fetched) { return fetched.key == key; };
  auto come = std::find_if(fetched_.begin(), fetched_.end(), is_answer);
  if (come == fetched_.end()) {
    fetched_.clear();
    fetch_from(key);
    come = fetched_.begin();
  }
  Fetched fetched = std::move(*come);
  fetched_.erase(fetched_.begin(), std::next(come));  // Those before it were passed over.
  return fetched.is_accepted ? conclude(key, std::move(fetched.answer)) : std::move(fetched.answer);
}

/// Fetches `key`, and with it the keys that were announced to follow.
void BatchTable::fetch_from(std::string_view key) {
  const auto announced = std::find(expected_.begin(), expected_.end(), key);
  const bool is_announced = announced != expected_.end();
  if (is_announced) {
    expected_.erase(expected_.begin(), announced);
  } else {
    expected_.emplace_front(key);
  }

  std::vector<std::string> asked;
  const std::size_t most = is_announced ? expected_.size() : 1;
  for (std::size_t count = 0; count < most && asked.size() < kMaxBatch; ++count) {
    if (count > 0 && expected_[count].empty()) break;
    const Result<bool> accepted = accepts(expected_[count]);
    if (!accepted && count > 0) break;
    const bool is_accepted = accepted && *accepted;
    Answer answer = accepted ? Answer(std::nullopt) : Answer(accepted.error());
    if (is_accepted) asked.push_back(expected_[count]);
    fetched_.push_back({.key = expected_[count], .answer = std::move(answer), .is_accepted = is_accepted});
    if (!accepted || (count == 0 && !is_accepted)) {
      expected_.pop_front();
      return;
    }
  }

  std::vector<Answer> answers = fetch(asked);
  auto answer = answers.begin();
  const auto end = std::find_if(fetched_.begin(), fetched_.end(), [&](Fetched& fetched) {
    if (!fetched.is_accepted) return false;
    if (answer == answers.end()) return true;
    fetched.answer = std::move(*answer++);
    return false;
  });
  // Those that the batch did not get to are announced still.
  expected_.erase(expected_.begin(), expected_.begin() + std::distance(fetched_.begin(), end));
  fetched_.erase(end, fetched_.end());
}

void BatchTable::release() {
  expected_.clear();
  fetched_.clear();
}

}  // namespace libmaps
