#include "tools/sendmail/options.h"

#include <gtest/gtest.h>

#include "libconf/main_cf_document.h"
#include "libconf/settings.h"

namespace sendmail {
namespace {

using libconf::Result;

class OptionsTest : public testing::Test {
 protected:
  Result<Options> interpret(const std::vector<std::string>& arguments) {
    return sendmail::interpret(split(arguments), settings_, warnings_);
  }

  libconf::Settings settings_{nullptr, libconf::system_host()};
  libconf::DiagnosticList warnings_;
};

TEST_F(OptionsTest, LettersComeTogetherAndWithTheirValues) {
  const auto options = interpret({"-tiv", "-fann", "-F", "Ann", "-Nnever", "-R", "HDRS", "--", "-bob", "x"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_TRUE(options->extracts_recipients);
  EXPECT_TRUE(options->ignores_dots);
  EXPECT_EQ(options->verbosity, 1);
  EXPECT_EQ(options->sender, "ann");
  EXPECT_EQ(options->full_name, "Ann");
  EXPECT_EQ(options->notify, 1);
  EXPECT_EQ(options->return_flags, 2);
  EXPECT_EQ(options->recipients, (std::vector<std::string>{"-bob", "x"}));
}

TEST_F(OptionsTest, EndAtTheFirstRecipient) {
  const auto options = interpret({"-i", "bob", "-t"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_FALSE(options->extracts_recipients);
  EXPECT_EQ(options->recipients, (std::vector<std::string>{"bob", "-t"}));
}

TEST_F(OptionsTest, Modes) {
  const struct {
    std::vector<std::string> arguments;
    Mode mode;
  } cases[] = {
      {{}, Mode::kDeliver},          {{"-bm"}, Mode::kDeliver},    {{"-bv"}, Mode::kDeliver},
      {{"-bs"}, Mode::kStandAlone},  {{"-bp"}, Mode::kList},       {{"-q"}, Mode::kFlush},
      {{"-bi"}, Mode::kInitialize},  {{"-I"}, Mode::kInitialize},  {{"-bd"}, Mode::kDaemon},
      {{"-bl"}, Mode::kDaemon},      {{"-bh"}, Mode::kNothing},    {{"-q15m"}, Mode::kNothing},
      {{"-bp", "-q"}, Mode::kFlush}, {{"-q", "-bp"}, Mode::kList},
  };
  for (const auto& each : cases) {
    const auto options = interpret(each.arguments);
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->mode, each.mode) << testing::PrintToString(each.arguments);
  }
}

TEST_F(OptionsTest, WhatIsRefused) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{"-Z"}, "invalid option -- 'Z'\nusage: sendmail [options]"},
      {{"-f"}, "option requires an argument -- 'f'\nusage: sendmail [options]"},
      {{"-bz"}, "unsupported: -bz"},
      {{"-n"}, "-n option not supported"},
      {{"-qx"}, "-qx is not implemented"},
      {{"-qI"}, "specify: -qIqueueid"},
      {{"-Xlog"}, "unsupported: -Xl"},
      {{"-XVab"}, "-V requires two characters from -=+"},
      {{"-B", "x"}, "-B option needs 8BITMIME or 7BIT"},
  };
  for (const auto& each : cases) {
    const auto options = interpret(each.arguments);
    ASSERT_FALSE(options) << testing::PrintToString(each.arguments);
    EXPECT_EQ(options.error().message, each.message);
  }
}

TEST_F(OptionsTest, TheLastConfigurationCounts) {
  EXPECT_EQ(split({"-C", "a", "-Cb", "bob"}).configuration(), "b");
  EXPECT_EQ(split({"bob", "-C", "a"}).configuration(), std::nullopt);
}

}  // namespace
}  // namespace sendmail
