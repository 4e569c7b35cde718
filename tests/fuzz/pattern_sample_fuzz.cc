// Samples of patterns.
#include "libmaps/pcre_lexer.h"
#include "libmaps/posix_lexer.h"
#include "tests/fuzz/property.h"
#include "tools/postlint/pattern_sample.h"

namespace {

void check(libmaps::PatternLexer& lexer) {
  const auto form = postlint::PatternForm::read(lexer);
  if (!form) return;
  std::minstd_rand random(1);
  static_cast<void>(form->sample(random));
  static_cast<void>(form->has_nested_repeats());
  require(form->stretched(1, 'a').size() <= form->stretched(2, 'a').size(), "more repeats are not shorter");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLongest = 64;  // Repeats in repeats make long samples.
  const std::string_view text = as_text(data, std::min(size, kLongest));
  libmaps::PcreLexer pcre(text);
  check(pcre);
  for (const bool is_extended : {false, true}) {
    libmaps::PosixLexer posix(text, is_extended);
    check(posix);
  }
  return 0;
}
