// The words of warnings are those that Postfix's cleanup logs.
#include "tools/mta/content/check_action.h"

#include <gtest/gtest.h>

#include <string>

namespace mta {
namespace {

using Kind = CheckActionKind;

CheckAction parse(std::string_view value, CheckTarget target = CheckTarget::kHeader) {
  return parse_check_action(value, target, target == CheckTarget::kHeader ? "header_checks" : "body_checks");
}

TEST(CheckAction, KnowsEveryAction) {
  struct Case {
    const char* value;
    Kind kind;
    const char* text;
  };
  const Case cases[] = {
      {"BCC user@example.com", Kind::kBcc, "user@example.com"},
      {"BCC @", Kind::kBcc, "@"},
      {"DISCARD", Kind::kDiscard, ""},
      {"DISCARD spam, spam", Kind::kDiscard, "spam, spam"},
      {"DUNNO", Kind::kDunno, ""},
      {"dunno whatever", Kind::kDunno, "whatever"},
      {"OK", Kind::kDunno, ""},
      {"FILTER smtp:[127.0.0.1]:10025", Kind::kFilter, "smtp:[127.0.0.1]:10025"},
      {"FILTER smtp:", Kind::kFilter, "smtp:"},
      {"FILTER :host", Kind::kFilter, ":host"},
      {"HOLD", Kind::kHold, ""},
      {"Hold  for \t Ann ", Kind::kHold, "for \t Ann "},
      {"IGNORE", Kind::kIgnore, ""},
      {"INFO a", Kind::kInfo, "a"},
      {"PASS", Kind::kPass, ""},
      {"PREPEND X-A: b", Kind::kPrepend, "X-A: b"},
      {"PREPEND\tX-A:", Kind::kPrepend, "X-A:"},
      {"REDIRECT user@example.com", Kind::kRedirect, "user@example.com"},
      {"REPLACE X-A \t: b", Kind::kReplace, "X-A \t: b"},
      {"STRIP", Kind::kStrip, ""},
      {"warn a b", Kind::kWarn, "a b"},
  };
  for (const Case& c : cases) {
    const CheckAction action = parse(c.value);
    EXPECT_EQ(action.kind, c.kind) << c.value;
    EXPECT_EQ(action.text, c.text) << c.value;
    EXPECT_EQ(action.warning, "") << c.value;
  }
}

TEST(CheckAction, WarnsOfWhatIsWrong) {
  struct Case {
    const char* value;
    CheckTarget target;
    const char* warning;
  };
  constexpr CheckTarget kHeader = CheckTarget::kHeader;
  constexpr CheckTarget kBody = CheckTarget::kBody;
  const Case cases[] = {
      {"BCC foo", kHeader, "bad BCC address \"foo\" in header_checks map -- need user@domain"},
      {"BCC", kBody, "bad BCC address \"\" in body_checks map -- need user@domain"},
      {"REDIRECT abc", kHeader, "bad REDIRECT target \"abc\" in header_checks map -- need user@domain"},
      {"FILTER foo", kHeader, "bad FILTER command foo in header_checks -- need transport:destination"},
      {"FILTER ", kHeader, "missing FILTER command argument in header_checks map"},
      {"PREPEND", kHeader, "PREPEND action without text in header_checks map"},
      {"PREPEND ", kBody, "PREPEND action without text in body_checks map"},
      {"PREPEND foo", kHeader,
       "bad PREPEND header text \"foo\" in header_checks map -- need \"headername: headervalue\""},
      {"PREPEND X A: b", kHeader,
       "bad PREPEND header text \"X A: b\" in header_checks map -- need \"headername: headervalue\""},
      {"REPLACE :b", kHeader,
       "bad REPLACE header text \":b\" in header_checks map -- need \"headername: headervalue\""},
      {"REPLACE", kHeader, "REPLACE action without text in header_checks map"},
      {"FOO bar", kHeader, "unknown command in header_checks map: FOO bar"},
      {"WARN,b", kHeader, "unknown command in header_checks map: WARN,b"},
      {" WARN b", kBody, "unknown command in body_checks map:  WARN b"},
      {"550 text", kHeader, "unknown command in header_checks map: 550 text"},
      {"", kHeader, "unknown command in header_checks map: "},
  };
  for (const Case& c : cases) {
    const CheckAction action = parse(c.value, c.target);
    EXPECT_EQ(action.warning, c.warning) << c.value;
    EXPECT_EQ(action.kind, Kind::kDunno) << c.value;
  }
  for (const char* value : {"PREPEND :foo", "PREPEND no header", "REPLACE text"})
    EXPECT_EQ(parse(value, kBody).warning, "") << value;
}

TEST(CheckAction, ReadsTheStatusOfARejection) {
  struct Case {
    const char* value;
    int code;
    const char* status;
    const char* text;
  };
  const Case cases[] = {
      {"REJECT", 550, "5.7.1", "message content rejected"},
      {"reject go away", 550, "5.7.1", "go away"},
      {"REJECT  two  blanks ", 550, "5.7.1", "two  blanks "},
      {"REJECT 4.7.2 later", 451, "4.7.2", "later"},
      {"REJECT 5.6.100  two", 550, "5.6.100", "two"},
      {"REJECT 5.7.1\ttext", 550, "5.7.1", "text"},
      {"REJECT 450 4.2.0 later", 550, "5.7.1", "450 4.2.0 later"},
      {"REJECT 5.7.1text", 550, "5.7.1", "5.7.1text"},
      {"REJECT 5.7.1000 text", 550, "5.7.1", "5.7.1000 text"},
      {"REJECT 5.1000.1 text", 550, "5.7.1", "5.1000.1 text"},
      {"REJECT 4.7 text", 550, "5.7.1", "4.7 text"},
      {"REJECT 3.7.1 text", 550, "5.7.1", "3.7.1 text"},
      {"REJECT 2.7.2 later", 451, "4.7.2", "later"},
      // Postfix shows what its buffer had before.
      {"REJECT 5.7.9", 550, "5.7.9", "message content rejected"},
  };
  for (const Case& c : cases) {
    const CheckAction action = parse(c.value);
    EXPECT_EQ(action.kind, Kind::kReject) << c.value;
    EXPECT_EQ(action.code, c.code) << c.value;
    EXPECT_EQ(action.status, c.status) << c.value;
    EXPECT_EQ(action.text, c.text) << c.value;
  }
  EXPECT_EQ(parse("REJECT 2.7.2 later").warning, "bad DSN action in 2.7.2 later -- need 4.x.x or 5.x.x");
}

// The words of Postfix's smtp.
TEST(CheckAction, ThoseOfDeliveryAreFewer) {
  const auto parse_delivery = [](std::string_view value) {
    return parse_check_action(value, CheckTarget::kHeader, "smtp_header_checks", CheckScope::kDelivery);
  };
  for (const char* value :
       {"DUNNO", "OK", "IGNORE", "INFO x", "PREPEND X: y", "REPLACE X: y", "STRIP", "warn"})
    EXPECT_EQ(parse_delivery(value).warning, "") << value;
  for (const char* value : {"BCC x@y", "BCC x", "DISCARD", "FILTER", "HOLD", "PASS", "REDIRECT a@b",
                            "REJECT 5.7.1 x", "FOO bar"}) {
    const CheckAction action = parse_delivery(value);
    EXPECT_EQ(action.kind, Kind::kDunno) << value;
    EXPECT_EQ(action.warning, std::string("unsupported command in smtp_header_checks map: ") + value);
  }
  EXPECT_EQ(parse_delivery("PREPEND x").warning,
            "bad PREPEND header text \"x\" in smtp_header_checks map -- need \"headername: headervalue\"");
}

}  // namespace
}  // namespace mta
