/// Tokens of POSIX regular expressions as the GNU C library reads them (regex(7)), in the "C" locale.
#pragma once

#include "libmaps/pattern_lexer.h"

namespace libmaps {

class PosixLexer final : public PatternLexer {
 public:
  /// `is_extended` is REG_EXTENDED.
  PosixLexer(std::string_view text, bool is_extended) : PatternLexer(text), is_extended_(is_extended) {}
  PatternToken next() override;

 private:
  PatternToken take_escape();
  PatternToken take_operator(char c);

  bool is_extended_;
  bool is_first_ = true;
};

}  // namespace libmaps
