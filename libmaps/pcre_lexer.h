/// Tokens of Perl compatible patterns (pcre2pattern(3)), without the extended flag.
#pragma once

#include "libmaps/pattern_lexer.h"

namespace libmaps {

class PcreLexer final : public PatternLexer {
 public:
  explicit PcreLexer(std::string_view text) : PatternLexer(text) {}
  PatternToken next() override;

 private:
  PatternToken take_group();
  PatternToken take_options();
  PatternToken take_escape();
  PatternToken take_quantifier(PatternToken repeat);

  bool is_quoting_ = false;  ///< Between \Q and \E.
};

}  // namespace libmaps
