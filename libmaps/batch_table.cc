#include "libmaps/batch_table.h"

#include <algorithm>
#include <iterator>

namespace libmaps {

Result<std::optional<std::string>> BatchTable::lookup(std::string_view key) {
  return conclude(key, take(key));
}

/// The answer as fetch() gave it.
BatchTable::Answer BatchTable::take(std::string_view key) {
  const auto come = std::find_if(fetched_.begin(), fetched_.end(),
                                 [key](const Fetched& fetched) { return fetched.key == key; });
  if (come != fetched_.end()) {
    Answer answer = std::move(come->answer);
    fetched_.erase(fetched_.begin(), std::next(come));  // Those before it were passed over.
    return answer;
  }
  fetched_.clear();

  std::vector<std::string> keys;
  const auto announced = std::find(expected_.begin(), expected_.end(), key);
  if (announced == expected_.end()) {
    keys.emplace_back(key);
  } else {
    const auto count = std::min<std::ptrdiff_t>(kMaxBatch, std::distance(announced, expected_.end()));
    const auto end = std::next(announced, count);
    keys.assign(std::make_move_iterator(announced), std::make_move_iterator(end));
    expected_.erase(expected_.begin(), end);
  }
  std::vector<Answer> answers = fetch(keys);
  // Those that the batch did not get to are announced still.
  expected_.insert(expected_.begin(),
                   std::make_move_iterator(keys.begin() + static_cast<std::ptrdiff_t>(answers.size())),
                   std::make_move_iterator(keys.end()));
  for (std::size_t i = 1; i < answers.size(); ++i)
    fetched_.push_back({.key = std::move(keys[i]), .answer = std::move(answers[i])});
  return std::move(answers.front());
}

void BatchTable::release() {
  expected_.clear();
  fetched_.clear();
}

}  // namespace libmaps
