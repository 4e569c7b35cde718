#include "tools/postlint/pattern_sample.h"

#include <gtest/gtest.h>

#include "libmaps/pcre_lexer.h"
#include "libmaps/pcre_table.h"

namespace postlint {
namespace {

std::optional<PatternForm> form_of(std::string_view pattern) {
  libmaps::PcreLexer lexer(pattern);
  return PatternForm::read(lexer);
}

TEST(PatternSampleTest, SamplesAreMatched) {
  const auto engine = libmaps::make_pcre_engine();
  std::minstd_rand random(1);
  for (const std::string_view pattern : {"example", "^(anna|bert)@example\\.org$", "a{3}b?c*",
                                         "^x(y(z|w)+)*$", "(?:one|two) (three)?", "a.c"}) {
    const auto form = form_of(pattern);
    ASSERT_TRUE(form) << pattern;
    const auto compiled = engine->compile(pattern, engine->dialect().default_options, false);
    ASSERT_TRUE(compiled) << pattern;
    for (int i = 0; i < 50; ++i) {
      const std::string sample = form->sample(random);
      libmaps::Captures none;
      const auto matched = (*compiled)->match(sample, none);
      EXPECT_TRUE(matched && *matched) << pattern << " and " << sample;
    }
  }
}

TEST(PatternSampleTest, WhatIsNotUnderstoodHasNoForm) {
  for (const std::string_view pattern : {"(?=a)b", "(?<!x)y", "(a", "a)"})
    EXPECT_FALSE(form_of(pattern)) << pattern;
}

TEST(PatternSampleTest, FindsRepeatsInRepeats) {
  for (const std::string_view pattern : {"(a+)+", "(a|b)*", "x((y*)z)+", "(\\w+\\s*)*$"})
    EXPECT_TRUE(form_of(pattern)->has_nested_repeats()) << pattern;
  for (const std::string_view pattern : {"a+b+", "(a+)?", "(ab)*", "(a|b)c*", "((a{2})+)"})
    EXPECT_FALSE(form_of(pattern)->has_nested_repeats()) << pattern;
}

TEST(PatternSampleTest, StretchesTheOutermostRepeats) {
  EXPECT_EQ(form_of("x(a+)+y")->stretched(4, '-'), "xaaaay");
  EXPECT_EQ(form_of("^.*\\d+z?$")->stretched(3, '7'), "777777");
}

}  // namespace
}  // namespace postlint
