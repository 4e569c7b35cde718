/// Patterns for tests of what holds for any pattern.
#pragma once

#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace libmaps {

/// Up to `most` of `pieces`, one after the other.
inline std::string random_pieces(std::mt19937& random, std::span<const std::string_view> pieces,
                                 std::size_t most) {
  std::string text;
  for (std::size_t count = random() % (most + 1); count > 0; --count)
    text += pieces[random() % pieces.size()];
  return text;
}

/// Bits of Perl compatible patterns, whole and broken.
inline constexpr std::string_view kPcrePieces[] = {
    "a",      "b",     "c",       "abc",     "A",           "bca",       "(",
    ")",      "(",     ")",       "|",       "|",           "*",         "+",
    "?",      "{2}",   "{1,3}",   "{0}",     "{2,}",        "{,2}",      "{",
    "}",      "[ab]",  "[^a]",    "[a-c]",   "[[:alpha:]]", "[]a]",      "[^]a]",
    "[a-]",   "[-a]",  "[a-c-e]", "[\\d-z]", "[z-a]",       "[[:foo:]]", "[[:^alpha:]]",
    "[a",     "]",     "[\\]a]",  "[\\w.-]", "\\d",         "\\w",       "\\b",
    "\\Q",    "\\E",   "\\x61",   "\\x",     "\\x{61}",     "\\141",     "\\1",
    "\\0",    "\\n",   "\\.",     "\\",      "(?:",         "(?i)",      "(?-i)",
    "(?i-s:", "(?i:",  "(?x)",    "(?=",     "(?!",         "(?<=",      "(?<!",
    "(?>",    "(?<n>", "(?P<m>",  "(?#c)",   "(?#",         "(?|",       "(?R)",
    "(?1)",   "(?(1)", "(*UTF)",  "\\K",     "\\R",         "\\A",       "\\z",
    "^",      "$",     ".",       ".*",      "\xc3\xb6",    " ",         "#",
    "-",      ",",     "??",      "*+",      "\\k<n>",      "\\g1",      "\\cA",
    "\\pL",   "\\C",   "\\N",     "\\X",     "\\u",         "\\<",
};

/// Bits of POSIX regular expressions, extended and basic, whole and broken.
inline constexpr std::string_view kPosixPieces[] = {
    "a",         "b",    "c",      "abc",     "A",        "bca",     "(",         ")",           "(",
    ")",         "|",    "|",      "*",       "+",        "?",       "{2}",       "{1,3}",       "{0}",
    "{2,}",      "{,2}", "{",      "}",       "[ab]",     "[^a]",    "[a-c]",     "[[:alpha:]]", "[]a]",
    "[^]a]",     "[a-]", "[-a]",   "[a-c-e]", "[z-a]",    "[\\d-z]", "[[:foo:]]", "[[.a.]]",     "[[=a=]]",
    "[a",        "]",    "[\\]a]", "\\(",     "\\)",      "\\(",     "\\)",       "\\|",         "\\{2\\}",
    "\\{1,2\\}", "\\{",  "\\}",    "\\+",     "\\?",      "\\*",     "\\w",       "\\W",         "\\s",
    "\\b",       "\\<",  "\\>",    "\\`",     "\\'",      "\\d",     "\\n",       "\\.",         "\\",
    "^",         "$",    ".",      ".*",      "\xc3\xb6", " ",       "-",         ",",           "**",
};

/// Bits of subjects for both.
inline constexpr std::string_view kSubjectPieces[] = {"a",  "b",        "c", "abc", "ABC", "bca", "B",
                                                      "\n", "\xc3\xb6", " ", ".",   "-",   "1"};

/// A pattern that is right, and a text that it matches at its start.
struct MatchingPattern {
  std::string pattern;
  std::string subject;
};

/// `is_pcre`: else POSIX, extended. `depth` bounds nested groups.
inline MatchingPattern random_matching_pattern(std::mt19937& random, bool is_pcre, int depth,
                                               bool is_inner = false) {
  static constexpr std::string_view kWords[] = {"a",  "b",    "pill", "Cheap", " ",    "-",
                                                "x1", "spam", "MAIL", "z",     "old9", "example"};
  const auto word = [&] { return kWords[random() % std::size(kWords)]; };
  const auto one_of = [&](const MatchingPattern& part, std::string_view quantifier, int times) {
    MatchingPattern out{"(" + part.pattern + ")" + std::string(quantifier), {}};
    while (times-- > 0) out.subject += part.subject;
    return out;
  };
  const auto inner = [&] { return random_matching_pattern(random, is_pcre, depth - 1, true); };
  MatchingPattern all;
  for (unsigned count = 1 + random() % 4; count > 0; --count) {
    MatchingPattern part;
    switch (depth > 0 ? random() % 12 : random() % 5) {
      default:
        part.pattern = part.subject = word();
        break;
      case 2:
        part = {"[" + std::string(word()) + "]", {}};
        part.subject = part.pattern[1 + random() % (part.pattern.size() - 2)];
        if (part.pattern == "[]") part = {"q", "q"};
        break;
      case 3:
        // Inside a repeated group it would take for ever.
        part = {is_inner ? ".{0,9}" : ".*", std::string(word())};
        break;
      case 4:
        part = {"\\.", "."};
        break;
      case 5:
        part = one_of(inner(), "?", static_cast<int>(random() % 2));
        break;
      case 6:
        part = one_of(inner(), "*", static_cast<int>(random() % 3));
        break;
      case 7:
        part = one_of(inner(), "+", 1 + static_cast<int>(random() % 3));
        break;
      case 8:
        part = one_of(inner(), "{2,3}", 2 + static_cast<int>(random() % 2));
        break;
      case 9: {
        MatchingPattern left = inner();
        const MatchingPattern right = inner();
        part = {"(" + left.pattern + "|" + right.pattern + ")",
                random() % 2 == 0 ? left.subject : right.subject};
        break;
      }
      case 10:
        part = inner();
        if (is_pcre) part.pattern = "(?:" + part.pattern + "|\\Q" + std::string(word()) + "\\E)";
        break;
      case 11:
        part = {is_pcre ? "\\x61(?#note)b\\Qc.\\E(?i)(?!neverhere)" : "ab", is_pcre ? "abc." : "ab"};
        break;
    }
    all.pattern += part.pattern;
    all.subject += part.subject;
  }
  return all;
}

}  // namespace libmaps
