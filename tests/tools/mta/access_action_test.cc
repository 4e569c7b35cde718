// Expected values are those of access(5), and of genuine Postfix asked through XCLIENT.
#include "tools/mta/access/access_action.h"

#include <gtest/gtest.h>

#include <string>

namespace mta {
namespace {

using enum ActionKind;

TEST(AccessAction, IsReadAsPostfixReadsIt) {
  struct Case {
    const char* value;
    ActionKind kind;
    int code;
    const char* status;
    const char* text;
  };
  const Case cases[] = {
      {"OK", kOk, 0, "", ""},
      {"ok", kOk, 0, "", ""},
      {"OK trailing", kOk, 0, "", ""},
      {"RELAY", kOk, 0, "", ""},
      {"123", kOk, 0, "", ""},
      {"550", kOk, 0, "", ""},
      {"DUNNO", kDunno, 0, "", ""},
      {"DUNNO trailing", kDunno, 0, "", ""},
      {"REJECT", kReject, 0, "", ""},
      {"REJECT go away", kReject, 0, "", "go away"},
      {"REJECT  two  spaces ", kReject, 0, "", "two  spaces"},
      {"reject 4.2.2 x", kReject, 0, "4.2.2", "x"},
      {"REJECT 5.9.9.9 x", kReject, 0, "", "5.9.9.9 x"},
      {"REJECT 550 x", kReject, 0, "", "550 x"},
      {"DEFER", kDefer, 0, "", ""},
      {"DEFER 4.1.1 later", kDefer, 0, "4.1.1", "later"},
      {"DEFER_IF_REJECT foo", kDeferIfReject, 0, "", "foo"},
      {"DEFER_IF_PERMIT 4.2.0 foo", kDeferIfPermit, 0, "4.2.0", "foo"},
      {"DISCARD", kDiscard, 0, "", ""},
      {"DISCARD bla", kDiscard, 0, "", "bla"},
      {"HOLD 5.1.1 why", kHold, 0, "", "5.1.1 why"},
      {"FILTER smtp:", kFilter, 0, "", "smtp:"},
      {"FILTER  smtp:x  y", kFilter, 0, "", "smtp:x  y"},
      {"REDIRECT x@y.example", kRedirect, 0, "", "x@y.example"},
      {"REDIRECT a b@c", kRedirect, 0, "", "a b@c"},
      {"PREPEND  X-Foo: bar", kPrepend, 0, "", "X-Foo: bar"},
      {"BCC x@y.example", kBcc, 0, "", "x@y.example"},
      {"INFO", kInfo, 0, "", ""},
      {"Warn  spaced", kWarn, 0, "", "spaced"},
      {"450 x", kDefer, 450, "", "x"},
      {"451\tx", kDefer, 451, "", "x"},
      {"550 4.7.25 x", kReject, 550, "4.7.25", "x"},
      {"550 2.1.1 x", kReject, 550, "2.1.1", "x"},
      {"550 3.1.1 x", kReject, 550, "", "3.1.1 x"},
      {"550 5.1.1", kReject, 550, "5.1.1", ""},
      {"550 5.1.1000 x", kReject, 550, "", "5.1.1000 x"},
      {"550 5.01.1 x", kReject, 550, "5.01.1", "x"},
      {"250 ok", kRestrictions, 0, "", "250 ok"},
      {"650 x", kRestrictions, 0, "", "650 x"},
      {"55 x", kRestrictions, 0, "", "55 x"},
      {"550x", kRestrictions, 0, "", "550x"},
      {"+451 x", kRestrictions, 0, "", "+451 x"},
      {"OKAY", kRestrictions, 0, "", "OKAY"},
      {"reject_unauth_destination, permit", kRestrictions, 0, "", "reject_unauth_destination, permit"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.value);
    const AccessAction action = parse_access_action(each.value, "table", "key");
    EXPECT_EQ(action.kind, each.kind);
    EXPECT_EQ(action.code, each.code);
    EXPECT_EQ(action.status, each.status);
    EXPECT_EQ(action.text, each.text);
    EXPECT_EQ(action.warning, "");
  }
}

TEST(AccessAction, IsWarnedOfAndIgnoredWhenItIsMalformed) {
  const std::pair<const char*, const char*> cases[] = {
      {"FILTER", "access table hash:/x entry \"a@b\" has FILTER entry without value"},
      {"FILTER foo", "access table hash:/x entry \"a@b\" requires transport:destination"},
      {"REDIRECT", "access table hash:/x entry \"a@b\" requires user@domain target"},
      {"REDIRECT foo", "access table hash:/x entry \"a@b\" requires user@domain target"},
      {"BCC foo", "access table hash:/x entry \"a@b\" requires user@domain target"},
      {"PREPEND", "access table hash:/x entry \"a@b\" requires header: text"},
      {"PREPEND X-Foo", "access table hash:/x entry \"a@b\" requires header: text"},
      {"PREPEND :x", "access table hash:/x entry \"a@b\" requires header: text"},
      {"PREPEND a b: c", "access table hash:/x entry \"a@b\" requires header: text"},
  };
  for (const auto& [value, warning] : cases) {
    const AccessAction action = parse_access_action(value, "hash:/x", "a@b");
    EXPECT_EQ(action.kind, kIgnored) << value;
    EXPECT_EQ(action.warning, warning) << value;
  }
}

TEST(AccessAction, IsWarnedOfAndPermitsWhenItIsEmpty) {
  const AccessAction action = parse_access_action(" ", "inet:127.0.0.1:9998", "policy query");
  EXPECT_EQ(action.kind, kOk);
  EXPECT_EQ(action.warning, "access table inet:127.0.0.1:9998 entry policy query has empty value");
}

TEST(AccessAction, StatusFitsTheSubjectOfTheReply) {
  using enum StatusSubject;
  struct Case {
    const char* status;
    int code;
    StatusSubject subject;
    const char* wanted;
  };
  const Case cases[] = {
      {"4.2.2", 554, kRecipient, "5.2.2"},   {"5.1.1", 450, kRecipient, "4.1.1"},
      {"5.01.1", 550, kRecipient, "5.01.1"}, {"2.1.1", 550, kRecipient, "5.1.1"},
      {"5.1.0", 554, kRecipient, "5.1.0"},   {"5.1.6", 554, kRecipient, "5.1.6"},
      {"5.1.7", 554, kRecipient, "5.1.3"},   {"5.1.8", 554, kRecipient, "5.1.2"},
      {"5.1.9", 554, kRecipient, "5.1.0"},   {"5.1.10", 554, kRecipient, "5.1.0"},
      {"5.1.0", 554, kSender, "5.1.0"},      {"5.1.1", 554, kSender, "5.1.7"},
      {"5.1.2", 554, kSender, "5.1.8"},      {"5.1.3", 554, kSender, "5.1.7"},
      {"5.1.4", 450, kSender, "4.1.7"},      {"5.1.5", 554, kSender, "5.1.0"},
      {"5.1.6", 554, kSender, "5.1.7"},      {"5.1.7", 554, kSender, "5.1.7"},
      {"5.1.8", 554, kSender, "5.1.8"},      {"5.1.9", 554, kSender, "5.1.0"},
      {"5.1.10", 554, kSender, "5.1.0"},     {"5.2.1", 554, kSender, "5.2.1"},
      {"5.1.8", 554, kOther, "5.0.0"},       {"4.1.1", 421, kOther, "4.0.0"},
      {"5.0.1", 554, kOther, "5.0.1"},       {"5.7.1", 554, kOther, "5.7.1"},
  };
  for (const Case& each : cases)
    EXPECT_EQ(fitting_status(each.status, each.code, each.subject), each.wanted) << each.status;
}

}  // namespace
}  // namespace mta
