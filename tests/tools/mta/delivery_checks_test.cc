// What is logged is what the smtp of Postfix 3.7 logs.
#include "tools/mta/delivery/delivery_checks.h"

#include <gtest/gtest.h>

#include "libconf/host.h"

namespace mta {
namespace {

class Log final : public MailLog {
 public:
  Log() : MailLog("postfix") {}
  std::string text;

 private:
  void put(Severity, std::string_view, std::string_view line) override {
    text += line;
    text += '\n';
  }
};

class DeliveryChecksTest : public testing::Test {
 protected:
  Result<std::unique_ptr<DeliveryChecks>> open(std::string_view parameter, std::string_view tables) {
    settings_.override_value(parameter, tables);
    return DeliveryChecks::open("smtp_", {.settings = settings_, .warnings = warnings_}, log_,
                                {.program = "smtp"});
  }

  const libconf::Host host_ = libconf::system_host();
  libconf::Settings settings_{nullptr, host_};
  libconf::DiagnosticDiscard warnings_;
  Log log_;
};

TEST_F(DeliveryChecksTest, WithoutTablesThereAreNone) {
  const auto none = open("smtp_header_checks", "");
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, nullptr);
  const auto others = open("lmtp_header_checks", "static:IGNORE");
  ASSERT_TRUE(others);
  EXPECT_EQ(*others, nullptr);
}

TEST_F(DeliveryChecksTest, ActionsAreLogged) {
  const auto checks = open("smtp_body_checks", "inline:{a=STRIP, {b=REPLACE c}, {d=WARN e}, f=HOLD}");
  ASSERT_TRUE(checks && *checks);
  const auto check = [&](std::string_view text) { return (*checks)->check(CheckClass::kBody, text, "4A1B"); };
  EXPECT_EQ(check("a")->kind, CheckActionKind::kIgnore);
  EXPECT_EQ(check("b")->text, "c");
  EXPECT_EQ(check("d")->kind, CheckActionKind::kWarn);
  EXPECT_EQ(check("f")->kind, CheckActionKind::kDunno);
  EXPECT_EQ(check("g")->kind, CheckActionKind::kDunno);
  EXPECT_EQ((*checks)->check(CheckClass::kHeader, "a", "4A1B")->kind, CheckActionKind::kDunno);
  EXPECT_EQ(log_.text,
            "4A1B: strip: body a\n4A1B: replace: body b: c\n4A1B: warning: body d: e\n"
            "warning: unsupported command in smtp_body_checks map: HOLD\n");
}

TEST_F(DeliveryChecksTest, ATableThatCannotTellKeepsTheMail) {
  const auto checks = open("smtp_mime_header_checks", "fail:x");
  ASSERT_TRUE(checks && *checks);
  const auto action = (*checks)->check(CheckClass::kMime, "A: b", "4A1B");
  ASSERT_FALSE(action);
  EXPECT_EQ(action.error().kind, ErrorKind::kTemporary);
  EXPECT_EQ(action.error().message, "4A1B: smtp header checks lookup error");
  EXPECT_EQ(log_.text, "warning: fail:x lookup error for \"A: b\"\n");
}

}  // namespace
}  // namespace mta
