/// Texts that a pattern matches, for finding out what else matches them.
///
///     auto form = PatternForm::read(lexer);
///     std::string text = form->sample(random);   // for /^(cheap|free) pills/: "free pills"
///
/// A sample is a guess where a pattern has classes, dots and the like: whoever needs to be sure asks the
/// engine whether the pattern matches it.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "libmaps/pattern_lexer.h"

namespace postlint {

/// A pattern in its parts. A value type.
class PatternForm {
 public:
  /// Nothing: the pattern has something that is not understood.
  static std::optional<PatternForm> read(libmaps::PatternLexer& lexer);

  /// A text that should match, other ones by other random numbers.
  std::string sample(std::minstd_rand& random) const;

  /// There are dots, classes or the like, whose texts are guesses.
  bool has_classes() const { return has_class(alternatives_); }

  /// A repeat without bound has another one, or alternatives, inside: an engine that backtracks may need time
  /// that is exponential in the length of a text that nearly matches.
  bool has_nested_repeats() const;

  /// A text in which every outermost repeat without bound is taken `count` times. Classes and
  /// dots are `filler`.
  std::string stretched(std::uint32_t count, char filler) const;

 private:
  struct Part;
  using Sequence = std::vector<Part>;
  struct Part {
    std::string bytes = {};  ///< One of these; empty and no alternatives: anything.
    std::vector<Sequence> alternatives = {};
    std::uint32_t min = 1;
    std::uint32_t max = 1;

    bool is_unbounded() const { return max == libmaps::PatternToken::kNoMax; }
  };
  struct Stretch {
    std::uint32_t count;
    char filler;
  };
  /// Repeats in repeats could go on for ever.
  struct Output {
    std::string text = {};
    std::size_t steps_left = 10'000;
  };
  static bool read_alternatives(libmaps::PatternLexer& lexer, bool is_inner, int depth,
                                std::vector<Sequence>& alternatives);
  static void write_sample(const std::vector<Sequence>& alternatives, std::minstd_rand& random, Output& out);
  static void write_stretched(const std::vector<Sequence>& alternatives, Stretch stretch, Output& out);
  static bool has_class(const std::vector<Sequence>& alternatives);
  static bool has_nested(const std::vector<Sequence>& alternatives, bool is_repeated);

  std::vector<Sequence> alternatives_;
};

}  // namespace postlint
