#include "tools/cli/nearest_name.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>
#include <vector>

namespace cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  using Row = std::vector<std::size_t>;
  Row before(b.size() + 1);
  Row last(b.size() + 1);
  Row row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

namespace {

/// Which letters a text has, a bit each. A change of one letter changes two of them at most, so that texts in
/// which many differ are far from each other.
std::uint64_t letters_of(std::string_view text) {
  std::uint64_t letters = 0;
  for (const char c : text) letters |= std::uint64_t{1} << (static_cast<unsigned char>(c) % 64);
  return letters;
}

}  // namespace

std::string_view nearest_name(std::string_view text, std::span<const std::string_view> names) {
  // A mistake in every fifth letter, but three at most.
  const std::size_t limit = std::clamp<std::size_t>(text.size() / 5, 1, 3);
  const std::uint64_t letters = letters_of(text);
  std::string_view best;
  std::size_t best_distance = limit + 1;
  for (const std::string_view name : names) {
    if (name.size() + limit < text.size() || text.size() + limit < name.size()) continue;
    if (static_cast<std::size_t>(std::popcount(letters ^ letters_of(name))) > 2 * limit) continue;
    const std::size_t distance = edit_distance(text, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace cli
