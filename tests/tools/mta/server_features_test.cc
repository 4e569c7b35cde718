#include "tools/mta/delivery/server_features.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

ServerFeatures features(std::string_view text, std::string_view discarded = "") {
  ServerReplyReader reader;
  const auto reply = reader.read(text);
  EXPECT_TRUE(reply);
  return {reply.value_or(ServerReply()), DiscardedKeywords::parse(discarded)};
}

TEST(ServerFeatures, KeywordsInAnyCaseBehindTheGreeting) {
  const auto all = features("250-PIPELINING\r\n250-pipelining\r\n250-Dsn\r\n250 8BITMIME\r\n");
  EXPECT_TRUE(all.has(EhloKeyword::kPipelining));
  EXPECT_TRUE(all.has(EhloKeyword::kDsn));
  EXPECT_TRUE(all.has(EhloKeyword::k8BitMime));
  EXPECT_FALSE(all.has(EhloKeyword::kSmtputf8));
  EXPECT_FALSE(features("250 PIPELINING\r\n").has(EhloKeyword::kPipelining));
}

TEST(ServerFeatures, MechanismsInBothForms) {
  EXPECT_EQ(features("250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 AUTH=NTLM\r\n").mechanisms(), "PLAIN LOGIN NTLM");
  EXPECT_EQ(features("250-mx\r\n250 AUTH\r\n").mechanisms(), "");
}

TEST(ServerFeatures, SizeLimits) {
  const struct {
    std::string_view text;
    std::uint64_t limit;
    std::string_view bad;
  } cases[] = {{"250 SIZE 1000\r\n", 1000, ""},  {"250 SIZE=1000\r\n", 0, ""},   {"250 SIZE 0\r\n", 0, ""},
               {"250 SIZE many\r\n", 0, "many"}, {"250 SIZE 12x\r\n", 0, "12x"}, {"250 SIZE\r\n", 0, ""}};
  for (const auto& each : cases) {
    const auto found = features("250-mx\r\n" + std::string(each.text));
    EXPECT_TRUE(found.has(EhloKeyword::kSize)) << each.text;
    EXPECT_EQ(found.size_limit(), each.limit) << each.text;
    EXPECT_EQ(found.bad_size_limit(), each.bad) << each.text;
  }
}

TEST(ServerFeatures, WhatIsDiscardedWasNotSaid) {
  const auto found = features("250-mx\r\n250-SIZE 10\r\n250 DSN\r\n", "size");
  EXPECT_FALSE(found.has(EhloKeyword::kSize));
  EXPECT_EQ(found.size_limit(), 0U);
  EXPECT_TRUE(found.has(EhloKeyword::kDsn));
}

TEST(ServerFeatures, AttributesOfXforward) {
  const auto found = features("250-mx\r\n250 XFORWARD NAME addr NONESUCH\r\n");
  EXPECT_TRUE(found.takes(ForwardedAttribute::kName));
  EXPECT_TRUE(found.takes(ForwardedAttribute::kAddress));
  EXPECT_FALSE(found.takes(ForwardedAttribute::kHelo));
}

}  // namespace
}  // namespace mta
