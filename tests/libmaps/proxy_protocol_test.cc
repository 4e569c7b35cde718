#include "libmaps/proxy_protocol.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/libconf/random_bytes.h"

namespace libmaps {
namespace {

using namespace std::string_literals;
using State = AttributeScan::State;
using Kind = ProxyRequestKind;

// The bytes that Postfix 3.7's postmap was seen to send, and its proxymap to reply.
const struct {
  ProxyRequest request;
  std::string bytes;
} kRequests[] = {
    {{.kind = Kind::kOpen, .table = "hash:m"}, "request\0open\0table\0hash:m\0flags\0000\0\0"s},
    {{.kind = Kind::kLookup, .table = "hash:m", .flags = 524353, .key = "joe"},
     "request\0lookup\0table\0hash:m\0flags\000524353\0key\0joe\0\0"s},
    {{.kind = Kind::kLookup, .table = "hash:m", .flags = 16449, .key = ""},
     "request\0lookup\0table\0hash:m\0flags\00016449\0key\0\0\0"s},
    {{.kind = Kind::kDelete, .table = "hash:m", .flags = 524353, .key = "k"},
     "request\0delete\0table\0hash:m\0flags\000524353\0key\0k\0\0"s},
    {{.kind = Kind::kUpdate, .table = "hash:m", .flags = 128, .key = "k", .value = "v1"},
     "request\0update\0table\0hash:m\0flags\000128\0key\0k\0value\0v1\0\0"s},
    {{.kind = Kind::kSequence, .table = "hash:m"},
     "request\0sequence\0table\0hash:m\0flags\0000\0function\0000\0\0"s},
    {{.kind = Kind::kSequence, .table = "hash:m", .function = ProxySequence::kNext},
     "request\0sequence\0table\0hash:m\0flags\0000\0function\0001\0\0"s},
};

const struct {
  Kind kind;
  ProxyReply reply;
  std::string bytes;
} kReplies[] = {
    {Kind::kOpen, {.status = 0, .flags = 28}, "status\0000\0flags\00028\0\0"s},
    {Kind::kOpen, {.status = 4}, "status\0004\0flags\0000\0\0"s},
    {Kind::kLookup, {.status = 0, .value = "two words"}, "status\0000\0value\0two words\0\0"s},
    {Kind::kLookup, {.status = 1}, "status\0001\0value\0\0\0"s},
    {Kind::kUpdate, {.status = 0}, "status\0000\0\0"s},
    {Kind::kDelete, {.status = 1}, "status\0001\0\0"s},
    {Kind::kSequence, {.status = 0, .key = "joe", .value = "one"}, "status\0000\0key\0joe\0value\0one\0\0"s},
};

bool equal(const ProxyRequest& a, const ProxyRequest& b) { return encode(a) == encode(b); }

TEST(ProxyProtocol, GreetsAsPostfix) {
  const std::string greeting = "protocol\0proxymap_protocol\0\0"s;
  EXPECT_EQ(proxy_greeting(), greeting);
  EXPECT_TRUE(is_proxy_greeting(scan_attributes(greeting).attributes));
  for (const std::string& other : {"protocol\0other\0\0"s, "status\0000\0\0"s, "\0"s})
    EXPECT_FALSE(is_proxy_greeting(scan_attributes(other).attributes)) << other;
}

TEST(ProxyProtocol, WritesRequestsAsPostfix) {
  for (const auto& [request, bytes] : kRequests) EXPECT_EQ(encode(request), bytes);
}

TEST(ProxyProtocol, ReadsRequestsBack) {
  for (const auto& [request, bytes] : kRequests) {
    const AttributeScan scan = scan_attributes(bytes);
    ASSERT_EQ(scan.state, State::kComplete) << bytes;
    EXPECT_EQ(scan.length, bytes.size());
    const std::optional<ProxyRequest> read = parse_request(scan.attributes);
    ASSERT_TRUE(read) << bytes;
    EXPECT_TRUE(equal(*read, request)) << bytes;
  }
}

TEST(ProxyProtocol, WritesAndReadsReplies) {
  for (const auto& [kind, reply, bytes] : kReplies) {
    EXPECT_EQ(encode(reply, kind), bytes);
    const std::optional<ProxyReply> read = parse_reply(scan_attributes(bytes).attributes, kind);
    ASSERT_TRUE(read) << bytes;
    EXPECT_EQ(encode(*read, kind), bytes);
  }
  EXPECT_EQ(encode(ProxyReply{.status = 3}, std::nullopt), "status\0003\0\0"s);
}

// What Postfix's service answers with BAD, but for a negative number, which ends it.
TEST(ProxyProtocol, RefusesOtherRequests) {
  const struct {
    std::string bytes;
    std::optional<Kind> kind;
  } cases[] = {
      {"request\0frob\0table\0hash:m\0flags\0000\0\0"s, std::nullopt},
      {"request\0open\0table\0hash:m\0\0"s, Kind::kOpen},
      {"request\0open\0\0"s, Kind::kOpen},
      {"request\0open\0flags\0000\0table\0hash:m\0\0"s, Kind::kOpen},
      {"table\0hash:m\0flags\0000\0request\0open\0\0"s, std::nullopt},
      {"request\0open\0foo\0bar\0table\0hash:m\0flags\0000\0\0"s, Kind::kOpen},
      {"request\0open\0table\0hash:m\0flags\0x\0\0"s, Kind::kOpen},
      {"request\0open\0table\0hash:m\0flags\0000x\0\0"s, Kind::kOpen},
      {"request\0open\0table\0hash:m\0flags\0-1\0\0"s, Kind::kOpen},
      {"request\0open\0table\0hash:m\0flags\00099999999999\0\0"s, Kind::kOpen},
      {"request\0open\0table\0hash:m\0flags\0\0\0"s, Kind::kOpen},
      {"request\0lookup\0table\0hash:m\0flags\0000\0\0"s, Kind::kLookup},
      {"request\0update\0table\0hash:m\0flags\0000\0key\0k\0\0"s, Kind::kUpdate},
      {"request\0sequence\0table\0hash:m\0flags\0000\0function\0002\0\0"s, Kind::kSequence},
      {"request\0sequence\0table\0hash:m\0flags\0000\0function\0first\0\0"s, Kind::kSequence},
      {"\0"s, std::nullopt},
  };
  for (const auto& [bytes, kind] : cases) {
    const AttributeScan scan = scan_attributes(bytes);
    EXPECT_EQ(scan.state, State::kComplete) << bytes;
    EXPECT_EQ(requested_kind(scan.attributes), kind) << bytes;
    EXPECT_FALSE(parse_request(scan.attributes)) << bytes;
  }
}

TEST(ProxyProtocol, PassesOverAttributesBehindThoseItKnows) {
  const std::string request = "request\0open\0table\0hash:m\0flags\0000\0foo\0bar\0\0"s;
  EXPECT_TRUE(parse_request(scan_attributes(request).attributes));
  const std::string reply = "status\0000\0value\0v\0more\0x\0\0"s;
  EXPECT_EQ(parse_reply(scan_attributes(reply).attributes, Kind::kLookup).value().value, "v");
}

TEST(ProxyProtocol, RefusesOtherReplies) {
  const struct {
    std::string bytes;
    Kind kind;
  } cases[] = {
      {"status\0000\0\0"s, Kind::kLookup},
      {"status\0000\0\0"s, Kind::kOpen},
      {"status\0x\0value\0v\0\0"s, Kind::kLookup},
      {"more\0x\0status\0000\0value\0v\0\0"s, Kind::kLookup},
      {"status\0000\0value\0v\0\0"s, Kind::kSequence},
      {"\0"s, Kind::kDelete},
  };
  for (const auto& [bytes, kind] : cases)
    EXPECT_FALSE(parse_reply(scan_attributes(bytes).attributes, kind)) << bytes;
}

TEST(ProxyProtocol, ScansAnyPieces) {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    std::string message;
    for (std::size_t n = random() % 4; n > 0; --n) {
      std::string value = libconf::random_bytes(random, 20);
      std::erase(value, '\0');
      message += "name" + std::to_string(n) + '\0' + value + '\0';
    }
    message += '\0';
    const std::string text = message + libconf::random_bytes(random, 5);
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const AttributeScan scan = scan_attributes(std::string_view(text).substr(0, length));
      EXPECT_EQ(scan.state, length < message.size() ? State::kIncomplete : State::kComplete);
      if (length >= message.size()) {
        EXPECT_EQ(scan.length, message.size());
      }
    }
  }
}

TEST(ProxyProtocol, LimitsAMessage) {
  const std::string longest = "a\0"s + std::string(5, 'x') + "\0\0"s;
  EXPECT_EQ(scan_attributes(longest, longest.size()).state, State::kComplete);
  EXPECT_EQ(scan_attributes(longest, longest.size() - 1).state, State::kTooLong);
  EXPECT_EQ(scan_attributes(std::string(100, 'x'), 100).state, State::kTooLong);
  EXPECT_EQ(scan_attributes(std::string(99, 'x'), 100).state, State::kIncomplete);
}

TEST(ProxyProtocol, EndsAValueAtItsNul) {
  EXPECT_EQ(encode(ProxyReply{.value = "a\0b"s}, Kind::kLookup), "status\0000\0value\0a\0\0"s);
}

}  // namespace
}  // namespace libmaps
