#include "tools/postconf/unified_diff.h"

#include <algorithm>
#include <vector>

#include "libconf/text.h"

namespace postconf {
namespace {

using libconf::concat;
using Texts = std::vector<std::string_view>;

Texts split_lines(std::string_view text) {
  Texts lines;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

/// One line of the edit script: ' ' kept, '-' removed, '+' added.
struct Step {
  char mark;
  std::string_view text;
};

/// The shortest edit script between the two line lists (Myers, "An O(ND) Difference Algorithm", 1986).
std::vector<Step> edit_script(const Texts& a, const Texts& b) {
  const auto n = static_cast<std::ptrdiff_t>(a.size());
  const auto m = static_cast<std::ptrdiff_t>(b.size());
  const std::ptrdiff_t most = n + m;
  std::vector<std::ptrdiff_t> furthest(
      static_cast<std::size_t>(2 * most + 2));  // x by diagonal k, from -most.
  // Before each round d, the part of `furthest` that the round reads: diagonals -d to d + 1.
  std::vector<std::vector<std::ptrdiff_t>> history;
  const auto at = [](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k,
                     std::ptrdiff_t lowest) -> std::ptrdiff_t& {
    return v[static_cast<std::size_t>(k - lowest)];
  };
  const auto goes_down = [&](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k, std::ptrdiff_t d,
                             std::ptrdiff_t lowest) {
    return k == -d || (k != d && at(v, k - 1, lowest) < at(v, k + 1, lowest));
  };
  for (std::ptrdiff_t d = 0; d <= most; ++d) {
    history.emplace_back(furthest.begin() + most - d, furthest.begin() + most + d + 2);
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      std::ptrdiff_t x =
          goes_down(furthest, k, d, -most) ? at(furthest, k + 1, -most) : at(furthest, k - 1, -most) + 1;
      while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) ++x;
      at(furthest, k, -most) = x;
      if (x >= n && x - k >= m) {
        d = most;
        break;
      }
    }
  }
  std::vector<Step> script;
  std::ptrdiff_t x = n, y = m;
  for (auto d = static_cast<std::ptrdiff_t>(history.size()) - 1; d >= 0; --d) {
    std::vector<std::ptrdiff_t>& v = history[static_cast<std::size_t>(d)];
    const std::ptrdiff_t k = x - y;
    const bool down = goes_down(v, k, d, -d);
    const std::ptrdiff_t from_x = d == 0 ? 0 : (down ? at(v, k + 1, -d) : at(v, k - 1, -d));
    const std::ptrdiff_t from_y = d == 0 ? 0 : from_x - (down ? k + 1 : k - 1);
    while (x > from_x && y > from_y &&
           !(d > 0 && x == from_x + (down ? 0 : 1) && y == from_y + (down ? 1 : 0))) {
      script.push_back({' ', a[static_cast<std::size_t>(--x)]});
      --y;
    }
    if (d == 0) break;
    if (down)
      script.push_back({'+', b[static_cast<std::size_t>(--y)]});
    else
      script.push_back({'-', a[static_cast<std::size_t>(--x)]});
  }
  std::reverse(script.begin(), script.end());
  return script;
}

void append_line(std::string& out, const Step& step) {
  out += step.mark;
  out += step.text;
  if (!step.text.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

std::string range(std::size_t first, std::size_t count) {
  if (count == 1) return std::to_string(first);
  return concat(std::to_string(count == 0 ? first - 1 : first), ",", std::to_string(count));
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_label,
                         std::string_view after_label) {
  if (before == after) return "";
  Texts a = split_lines(before), b = split_lines(after);
  // Equal ends cost nothing to skip, and most edits touch a few lines of many.
  const auto [first_a, first_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto prefix = static_cast<std::size_t>(first_a - a.begin());
  std::size_t suffix = 0;
  while (suffix < a.size() - prefix && suffix < b.size() - prefix &&
         a[a.size() - 1 - suffix] == b[b.size() - 1 - suffix])
    ++suffix;
  const Texts middle_a(a.begin() + static_cast<std::ptrdiff_t>(prefix),
                       a.end() - static_cast<std::ptrdiff_t>(suffix));
  const Texts middle_b(b.begin() + static_cast<std::ptrdiff_t>(prefix),
                       b.end() - static_cast<std::ptrdiff_t>(suffix));
  std::vector<Step> script;
  for (std::size_t i = 0; i < prefix; ++i) script.push_back({' ', a[i]});
  for (const Step& step : edit_script(middle_a, middle_b)) script.push_back(step);
  for (std::size_t i = a.size() - suffix; i < a.size(); ++i) script.push_back({' ', a[i]});

  constexpr std::size_t kContext = 3;
  std::string out = concat("--- ", before_label, "\n+++ ", after_label, "\n");
  std::size_t line_a = 1, line_b = 1, i = 0;
  while (i < script.size()) {
    if (script[i].mark == ' ') {
      ++line_a, ++line_b, ++i;
      continue;
    }
    const std::size_t lead = std::min({kContext, i, line_a - 1});
    std::size_t end = i, last_change = i;
    while (end < script.size() && end <= last_change + 2 * kContext + 1) {
      if (script[end].mark != ' ') last_change = end;
      ++end;
    }
    end = std::min(script.size(), last_change + kContext + 1);
    std::string body;
    std::size_t count_a = 0, count_b = 0;
    for (std::size_t j = i - lead; j < end; ++j) {
      append_line(body, script[j]);
      count_a += script[j].mark != '+';
      count_b += script[j].mark != '-';
    }
    out += concat("@@ -", range(line_a - lead, count_a), " +", range(line_b - lead, count_b), " @@\n", body);
    line_a += count_a - lead;
    line_b += count_b - lead;
    i = end;
  }
  return out;
}

}  // namespace postconf
