#include "tools/postexplain/answers.h"

#include <gtest/gtest.h>

namespace postexplain {
namespace {

using mta::DnsStatus;
using mta::DnsType;

TEST(Answers, ServicesStandBesideTheDns) {
  const auto answers = Answers::parse(
      "# who says what\n"
      "example.com MX 10 mail.example.com\n"
      "policy: DUNNO\n"
      "policy inet:127.0.0.1:10023: REJECT not today\n"
      "\n"
      "milter unix:/run/filter: tempfail\n"
      "verify ann@example.com: undeliverable no such user\n"
      "broken.example SERVFAIL\n",
      "answers");
  ASSERT_TRUE(answers) << answers.error().message;
  EXPECT_EQ(answers->of("policy", "inet:127.0.0.1:10023"), "REJECT not today");
  EXPECT_EQ(answers->of("policy", "unix:private/policy"), "DUNNO");
  EXPECT_EQ(answers->of("milter", "unix:/run/filter"), "tempfail");
  EXPECT_EQ(answers->of("milter", "inet:localhost:1"), std::nullopt);
  EXPECT_EQ(answers->of("verify", "ann@example.com"), "undeliverable no such user");
  Answers copy = *answers;
  EXPECT_EQ(copy.dns().answer("example.com", DnsType::kMx).status, DnsStatus::kFound);
  EXPECT_EQ(copy.dns().answer("broken.example", DnsType::kA).status, DnsStatus::kTemporaryFailure);
  EXPECT_EQ(copy.dns().answer("other.example", DnsType::kA).status, DnsStatus::kNoSuchName);
}

TEST(Answers, ANameMayBeCalledLikeAService) {
  auto answers = Answers::parse("policy A 192.0.2.1\nmilter.example A 192.0.2.2\n", "answers");
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->dns().answer("policy", DnsType::kA).status, DnsStatus::kFound);
  EXPECT_EQ(answers->dns().answer("milter.example", DnsType::kA).status, DnsStatus::kFound);
}

TEST(Answers, MistakesHaveTheirLine) {
  struct MistakeCase {
    const char* text;
    const char* message;
  };
  const MistakeCase cases[] = {
      {"# one\npolicy:\n", "answers, line 2: no answer"},
      {"policy: DUNNO\n\nexample.com NOSUCH x\n", "answers, line 3: unknown type \"NOSUCH\""},
  };
  for (const MistakeCase& each : cases) {
    const auto answers = Answers::parse(each.text, "answers");
    ASSERT_FALSE(answers) << each.text;
    EXPECT_EQ(answers.error().message, each.message);
    EXPECT_EQ(answers.error().kind, libconf::ErrorKind::kSyntax);
  }
}

}  // namespace
}  // namespace postexplain
