#include <gtest/gtest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <string>
#include <vector>

#include "tests/tools/mta/dns_responder.h"
#include "tools/mta/dns/cares_resolver.h"
#include "tools/mta/dns/scripted_resolver.h"

namespace mta {
namespace {

constexpr const char* kZone = R"(
# what a site may look like
example.com. MX 10 mail.example.com.
example.com. MX 20 backup.example.com.
example.com. NS ns1.example.com.
example.com. SOA ns1.example.com. hostmaster.example.com. 1 2 3 4 5
example.com. TXT "two words"
mail.example.com. A 192.0.2.1
mail.example.com. A 192.0.2.2
mail.example.com. AAAA 2001:db8::1
1.2.0.192.in-addr.arpa. PTR mail.example.com.
www.example.com. CNAME mail.example.com.
dangling.example.com. CNAME nowhere.example.com.
loop.example.com. CNAME loop.example.com.
null.example.com. MX 0 .
broken.example.com. SERVFAIL
half.example.com. A 192.0.2.3
half.example.com. SERVFAIL MX AAAA
none.example.com. NXDOMAIN
empty.example.com. NODATA
)";

struct Case {
  const char* name;
  DnsType type;
  DnsStatus status;
  std::vector<DnsRecord> records;
};

const Case kCases[] = {
    {"example.com", DnsType::kMx, DnsStatus::kFound, {{"mail.example.com", 10}, {"backup.example.com", 20}}},
    {"EXAMPLE.com.", DnsType::kMx, DnsStatus::kFound, {{"mail.example.com", 10}, {"backup.example.com", 20}}},
    {"example.com", DnsType::kNs, DnsStatus::kFound, {{"ns1.example.com"}}},
    {"example.com", DnsType::kSoa, DnsStatus::kFound, {{"ns1.example.com"}}},
    {"example.com", DnsType::kTxt, DnsStatus::kFound, {{"two words"}}},
    {"example.com", DnsType::kA, DnsStatus::kNoData, {}},
    {"mail.example.com", DnsType::kA, DnsStatus::kFound, {{"192.0.2.1"}, {"192.0.2.2"}}},
    {"mail.example.com", DnsType::kAaaa, DnsStatus::kFound, {{"2001:db8::1"}}},
    {"1.2.0.192.in-addr.arpa", DnsType::kPtr, DnsStatus::kFound, {{"mail.example.com"}}},
    {"www.example.com", DnsType::kA, DnsStatus::kFound, {{"192.0.2.1"}, {"192.0.2.2"}}},
    {"dangling.example.com", DnsType::kA, DnsStatus::kNoSuchName, {}},
    {"loop.example.com", DnsType::kA, DnsStatus::kTemporaryFailure, {}},
    {"null.example.com", DnsType::kMx, DnsStatus::kFound, {{"", 0}}},
    {"broken.example.com", DnsType::kA, DnsStatus::kTemporaryFailure, {}},
    {"half.example.com", DnsType::kA, DnsStatus::kFound, {{"192.0.2.3"}}},
    {"half.example.com", DnsType::kMx, DnsStatus::kTemporaryFailure, {}},
    {"none.example.com", DnsType::kA, DnsStatus::kNoSuchName, {}},
    {"empty.example.com", DnsType::kTxt, DnsStatus::kNoData, {}},
    {"nowhere.example.com", DnsType::kMx, DnsStatus::kNoSuchName, {}},
    {"com", DnsType::kA, DnsStatus::kNoData, {}},
};

std::vector<std::string> sorted(const std::vector<DnsRecord>& records) {
  std::vector<std::string> out;
  for (const DnsRecord& record : records)
    out.push_back(std::to_string(record.preference) + " " + record.data);
  std::sort(out.begin(), out.end());
  return out;
}

ScriptedResolver scripted() {
  auto resolver = ScriptedResolver::parse(kZone, "zone");
  EXPECT_TRUE(resolver);
  return std::move(*resolver);
}

TEST(ScriptedResolver, AnswersFromItsText) {
  const ScriptedResolver resolver = scripted();
  for (const Case& each : kCases) {
    const DnsAnswer answer = resolver.answer(each.name, each.type);
    EXPECT_EQ(answer.status, each.status) << each.name;
    EXPECT_EQ(sorted(answer.records), sorted(each.records)) << each.name;
  }
}

TEST(ScriptedResolver, SaysWhatIsWrongWithItsText) {
  const std::pair<const char*, const char*> cases[] = {
      {"a.example", "zone, line 1: unknown type \"\""},
      {"\na.example X y", "zone, line 2: unknown type \"X\""},
      {"a.example MX mail", "zone, line 1: bad data for type MX"},
      {"a.example A", "zone, line 1: bad data for type A"},
      {"a.example CNAME", "zone, line 1: a CNAME needs a name"},
      {"a.example SERVFAIL X", "zone, line 1: unknown type \"X\""},
  };
  for (const auto& [text, message] : cases) {
    const auto resolver = ScriptedResolver::parse(text, "zone");
    ASSERT_FALSE(resolver) << text;
    EXPECT_EQ(resolver.error().message, message);
  }
}

class CaresResolverTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(WhomToTrust, CaresResolverTest, testing::Bool());

TEST_P(CaresResolverTest, AsksManyQuestionsAtATime) {
  asio::io_context context;
  DnsResponder responder(context, scripted());
  responder.validate();
  auto resolver = CaresResolver::create(context.get_executor(),
                                        {.servers = {responder.address()}, .is_trusted = GetParam()});
  ASSERT_TRUE(resolver);
  std::size_t open = std::size(kCases);
  for (const Case& each : kCases)
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
          const DnsAnswer answer = co_await (*resolver)->resolve(each.name, each.type);
          EXPECT_EQ(answer.status, each.status) << each.name;
          EXPECT_EQ(sorted(answer.records), sorted(each.records)) << each.name;
          EXPECT_EQ(answer.is_validated && answer.status == DnsStatus::kFound,
                    GetParam() && each.status == DnsStatus::kFound)
              << each.name;
        },
        [&](std::exception_ptr failure) {
          EXPECT_FALSE(failure);
          if (--open == 0) context.stop();
        });
  context.run_for(std::chrono::seconds(20));
  EXPECT_EQ(open, 0u);
}

TEST(CaresResolver, GivesUpInTime) {
  asio::io_context context;
  DnsResponder responder(context, scripted());
  responder.fall_silent();
  auto resolver =
      CaresResolver::create(context.get_executor(), {.servers = {responder.address()},
                                                     .try_timeout = std::chrono::milliseconds(60'000),
                                                     .limit = std::chrono::milliseconds(100)});
  ASSERT_TRUE(resolver);
  DnsAnswer answer;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> { answer = co_await (*resolver)->resolve("example.com", DnsType::kMx); },
      [&](std::exception_ptr) { context.stop(); });
  context.run_for(std::chrono::seconds(20));
  EXPECT_EQ(answer.status, DnsStatus::kTemporaryFailure);
}

TEST(CaresResolver, MayGoWhileAQuestionIsOpen) {
  asio::io_context context;
  DnsResponder responder(context, scripted());
  responder.fall_silent();
  auto resolver = CaresResolver::create(context.get_executor(), {.servers = {responder.address()}});
  ASSERT_TRUE(resolver);
  DnsAnswer answer;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        Resolver& asked = **resolver;
        answer = co_await asked.resolve("example.com", DnsType::kMx);
      },
      [&](std::exception_ptr) { context.stop(); });
  context.poll();
  resolver->reset();
  context.run_for(std::chrono::seconds(20));
  EXPECT_EQ(answer.status, DnsStatus::kTemporaryFailure);
}

TEST(CaresResolver, NeedsServersThatAreAddresses) {
  asio::io_context context;
  const auto resolver = CaresResolver::create(context.get_executor(), {.servers = {"no address"}});
  ASSERT_FALSE(resolver);
  EXPECT_EQ(resolver.error().kind, libconf::ErrorKind::kConfiguration);
}

}  // namespace
}  // namespace mta
