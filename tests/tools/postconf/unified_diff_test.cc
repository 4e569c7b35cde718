#include "tools/postconf/unified_diff.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace postconf {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
    out.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

/// What patch(1) makes of `before`; nothing when the patch does not fit exactly.
std::optional<std::string> apply_patch(const std::string& before, const std::string& patch) {
  const std::vector<std::string> old_lines = lines_of(before);
  std::vector<std::string> diff = lines_of(patch);
  if (diff.size() < 2 || !diff[0].starts_with("--- ") || !diff[1].starts_with("+++ ")) return std::nullopt;
  // "\ No newline at end of file" takes the newline off the line before it.
  std::vector<std::string> body;
  for (std::size_t i = 2; i < diff.size(); ++i) {
    if (diff[i].starts_with("\\ ")) {
      if (body.empty()) return std::nullopt;
      body.back().pop_back();
    } else {
      body.push_back(diff[i]);
    }
  }
  std::string out;
  std::size_t next = 0;
  std::size_t out_lines = 0;
  for (std::size_t i = 0; i < body.size();) {
    unsigned long start_a = 0, count_a = 1, start_b = 0, count_b = 1;
    const std::string& head = body[i++];
    if (std::sscanf(head.c_str(), "@@ -%lu,%lu +%lu,%lu @@", &start_a, &count_a, &start_b, &count_b) != 4) {
      count_a = count_b = 1;
      if (std::sscanf(head.c_str(), "@@ -%lu +%lu,%lu @@", &start_a, &start_b, &count_b) != 3) {
        count_b = 1;
        if (std::sscanf(head.c_str(), "@@ -%lu,%lu +%lu @@", &start_a, &count_a, &start_b) != 3) {
          count_a = 1;
          if (std::sscanf(head.c_str(), "@@ -%lu +%lu @@", &start_a, &start_b) != 2) return std::nullopt;
        }
      }
    }
    // An empty range names the line before it.
    const std::size_t begin_a = count_a == 0 ? start_a : start_a - 1;
    const std::size_t begin_b = count_b == 0 ? start_b : start_b - 1;
    if (begin_a < next || begin_a > old_lines.size()) return std::nullopt;
    for (; next < begin_a; ++next, ++out_lines) out += old_lines[next];
    if (out_lines != begin_b) return std::nullopt;
    while (count_a + count_b > 0) {
      if (i == body.size() || body[i].empty()) return std::nullopt;
      const char mark = body[i][0];
      const std::string text = body[i].substr(1);
      ++i;
      if (mark == ' ' || mark == '-') {
        if (count_a-- == 0 || next >= old_lines.size() || old_lines[next] != text) return std::nullopt;
        ++next;
      }
      if (mark == ' ' || mark == '+') {
        if (count_b-- == 0) return std::nullopt;
        out += text;
        ++out_lines;
      }
      if (mark != ' ' && mark != '-' && mark != '+') return std::nullopt;
    }
  }
  for (; next < old_lines.size(); ++next) out += old_lines[next];
  return out;
}

struct Shape {
  const char* name;
  const char* before;
  const char* after;
  const char* expected;  ///< As GNU `diff -u --label a --label b` prints it.
};

constexpr Shape kShapes[] = {
    {"equal", "a\nb\n", "a\nb\n", ""},
    {"both empty", "", "", ""},
    {"one line changed", "a\nb\nc\n", "a\nx\nc\n", "--- a\n+++ b\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
    {"only line changed", "a\n", "b\n", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n"},
    {"into an empty file", "", "a\nb\n", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
    {"to an empty file", "a\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n"},
    {"appended", "a\n", "a\nb\n", "--- a\n+++ b\n@@ -1 +1,2 @@\n a\n+b\n"},
    {"three lines of context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
     "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
    {"newline missing on both sides", "a\nb", "x\nb",
     "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-a\n+x\n b\n\\ No newline at end of file\n"},
    {"newline added", "a", "a\n", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
    {"newline removed", "a\n", "a", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"},
    {"seven lines between changes: two hunks", "x\n1\n2\n3\n4\n5\n6\n7\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\nY\n",
     "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-y\n+Y\n"},
};

TEST(UnifiedDiff, Shapes) {
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.name);
    EXPECT_EQ(unified_diff(shape.before, shape.after, "a", "b"), shape.expected);
  }
}

// As GNU diff joins hunks whose contexts touch.
TEST(UnifiedDiff, SixLinesBetweenChangesAreOneHunk) {
  const Shape shape = {"six lines between changes: one hunk", "x\n1\n2\n3\n4\n5\n6\ny\n",
                       "X\n1\n2\n3\n4\n5\n6\nY\n",
                       "--- a\n+++ b\n@@ -1,8 +1,8 @@\n-x\n+X\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n+Y\n"};
  EXPECT_EQ(unified_diff(shape.before, shape.after, "a", "b"), shape.expected);
}

TEST(UnifiedDiff, RandomTextsPatchBack) {
  std::mt19937 random(20240611);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  for (int round = 0; round < 4000; ++round) {
    const auto make_text = [&] {
      std::string text;
      const unsigned count = below(30);
      for (unsigned i = 0; i < count; ++i) text += std::string(1, static_cast<char>('a' + below(4))) + "\n";
      if (!text.empty() && below(4) == 0) text.pop_back();
      return text;
    };
    const std::string before = make_text();
    std::string after;
    if (below(2) == 0) {
      after = make_text();
    } else {
      for (const std::string& line : lines_of(before)) {
        if (below(8) == 0) after += "new\n";
        if (below(8) != 0) after += line;
      }
    }
    const std::string patch = unified_diff(before, after, "a", "b");
    if (before == after) {
      ASSERT_EQ(patch, "");
      continue;
    }
    const std::optional<std::string> patched = apply_patch(before, patch);
    ASSERT_TRUE(patched) << "before:\n" << before << "\nafter:\n" << after << "\npatch:\n" << patch;
    ASSERT_EQ(*patched, after) << "before:\n" << before << "\npatch:\n" << patch;
  }
}

TEST(UnifiedDiff, LongTextsStayFast) {
  std::string before, after;
  for (int i = 0; i < 5000; ++i) {
    before += "name" + std::to_string(i) + " = value\n";
    if (i != 2500) after += "name" + std::to_string(i) + " = value\n";
  }
  const std::string patch = unified_diff(before, after, "a", "b");
  EXPECT_EQ(apply_patch(before, patch), after);
  EXPECT_EQ(lines_of(patch).size(), 2U + 1 + 7);
}

}  // namespace
}  // namespace postconf
