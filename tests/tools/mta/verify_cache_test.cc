#include "tools/mta/delivery/verify_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "libconf/main_cf_document.h"
#include "tools/mta/delivery/probe_sender.h"

namespace {

using mta::parse_verify_value;
using mta::ProbeStatus;
using mta::VerifyCache;
using mta::VerifyEntry;

TEST(VerifyValue, IsThatOfPostfix) {
  // As Postfix 3.7 stored it.
  const std::string value = "2:0:1795936795:host 127.0.0.1[127.0.0.1] said: 550 5.1.1 no such user here";
  const auto entry = parse_verify_value(value);
  ASSERT_TRUE(entry);
  EXPECT_EQ(*entry, (VerifyEntry{.status = ProbeStatus::kUndeliverable,
                                 .updated = 1795936795,
                                 .text = "host 127.0.0.1[127.0.0.1] said: 550 5.1.1 no such user here"}));
  EXPECT_EQ(verify_value(*entry), value);
}

TEST(VerifyValue, IsNothingElse) {
  for (const char* const value : {"", "0", "0:", "0:0", "0:0:0:", "4:0:0:x", "-1:0:0:x", "0:x:0:x",
                                  "0:0:-5:x", "0:0:99999999999999999999:x", " 0:0:0:x", "1795936770"})
    EXPECT_FALSE(parse_verify_value(value)) << value;
}

TEST(ProbeSender, TellsTheTimeAsPostfixDoes) {
  using namespace std::chrono_literals;
  // As Postfix 3.7 sent it at that time.
  EXPECT_EQ(mta::probe_sender("double-bounce@mail.example.org", 3600s, 1795937420),
            "double-bounceJR3M@mail.example.org");
  EXPECT_EQ(mta::probe_sender("double-bounce", 3600s, 1795937420), "double-bounceJR3M");
  EXPECT_EQ(mta::probe_sender("double-bounce@mail.example.org", 0s, 1795937420),
            "double-bounce@mail.example.org");
  EXPECT_EQ(mta::probe_sender("", 3600s, 1795937420), "");
}

/// A cache in memory.
class VerifyCacheTest : public testing::Test {
 protected:
  VerifyCache open(const std::string& main_cf) {
    document_ = libconf::MainCfDocument::parse(
        "address_verify_map =\naddress_verify_positive_refresh_time = 100s\n"
        "address_verify_positive_expire_time = 1000s\naddress_verify_negative_refresh_time = 10s\n"
        "address_verify_negative_expire_time = 50s\naddress_verify_cache_cleanup_interval = 500s\n" +
            main_cf,
        "main.cf");
    settings_.emplace(&*document_, libconf::system_host());
    auto cache = VerifyCache::open(*settings_, warnings_);
    EXPECT_TRUE(cache);
    return std::move(*cache);
  }
  static VerifyEntry found(ProbeStatus status, std::time_t time) {
    return {.status = status, .updated = time, .text = "so it is"};
  }

  std::optional<libconf::MainCfDocument> document_;
  std::optional<libconf::Settings> settings_;
  libconf::DiagnosticList warnings_;
};

TEST_F(VerifyCacheTest, ForgetsInTime) {
  VerifyCache cache = open("");
  constexpr std::time_t kNow = 100'000;
  cache.store("good@a.example", found(ProbeStatus::kDeliverable, kNow), kNow);
  cache.store("bad@a.example", found(ProbeStatus::kUndeliverable, kNow), kNow);
  ASSERT_TRUE(cache.find("good@a.example", kNow + 1000));
  EXPECT_FALSE(cache.find("good@a.example", kNow + 1001));
  ASSERT_TRUE(cache.find("bad@a.example", kNow + 50));
  EXPECT_FALSE(cache.find("bad@a.example", kNow + 51));
  EXPECT_FALSE(cache.is_stale(*cache.find("good@a.example", kNow), kNow + 100));
  EXPECT_TRUE(cache.is_stale(*cache.find("good@a.example", kNow), kNow + 101));
  EXPECT_TRUE(cache.is_stale(*cache.find("bad@a.example", kNow), kNow + 11));
  EXPECT_FALSE(cache.find("Good@a.example", kNow));
}

TEST_F(VerifyCacheTest, KeepsWhatSucceeded) {
  VerifyCache cache = open("");
  constexpr std::time_t kNow = 100'000;
  cache.store("a@a.example", found(ProbeStatus::kDeliverable, kNow), kNow);
  cache.store("a@a.example", found(ProbeStatus::kUndeliverable, kNow + 200), kNow + 200);
  EXPECT_EQ(cache.find("a@a.example", kNow + 200)->status, ProbeStatus::kDeliverable);
  cache.store("a@a.example", found(ProbeStatus::kUndeliverable, kNow + 1001), kNow + 1001);
  EXPECT_EQ(cache.find("a@a.example", kNow + 1001)->status, ProbeStatus::kUndeliverable);
}

TEST_F(VerifyCacheTest, RemembersNoFailureWhereItMustNot) {
  VerifyCache cache = open("address_verify_negative_cache = no\n");
  cache.store("a@a.example", found(ProbeStatus::kDeferred, 100), 100);
  EXPECT_FALSE(cache.find("a@a.example", 100));
  EXPECT_FALSE(cache.keeps_failures());
}

TEST_F(VerifyCacheTest, IsCleanedNowAndThen) {
  VerifyCache cache = open("");
  constexpr std::time_t kNow = 100'000;
  cache.store("good@a.example", found(ProbeStatus::kDeliverable, kNow), kNow);
  cache.store("bad@a.example", found(ProbeStatus::kUndeliverable, kNow), kNow);
  const auto first = cache.clean(kNow + 60);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->retained, 1U);
  EXPECT_EQ(first->dropped, 1U);
  EXPECT_FALSE(cache.clean(kNow + 559));
  EXPECT_TRUE(cache.clean(kNow + 560));
}

}  // namespace
