#include "tools/mta/dns/dns_message.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mta {
namespace {

using namespace std::string_view_literals;

std::optional<DnsMessage> read(std::string_view bytes, int type) {
  return read_dns_message({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, type);
}

// a.b, question for TLSA; a.b is an alias for c.b; c.b has one record.
constexpr std::string_view kAlias =
    "\x00\x07\x84\xA0\x00\x01\x00\x02\x00\x00\x00\x00"
    "\x01\x61\x01\x62\x00\x00\x34\x00\x01"
    "\xC0\x0C\x00\x05\x00\x01\x00\x00\x00\x3C\x00\x04\x01\x63\xC0\x0E"
    "\xC0\x21\x00\x34\x00\x01\x00\x00\x00\x3C\x00\x05\x03\x01\x01\x00\xAA"sv;

TEST(DnsMessage, AliasesAreFollowed) {
  const auto message = read(kAlias, 52);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->response_code, 0);
  EXPECT_TRUE(message->is_authentic);
  EXPECT_EQ(message->name, "c.b");
  EXPECT_EQ(message->data, std::vector<std::string>{std::string("\x03\x01\x01\x00\xAA", 5)});
  const auto other = read(kAlias, 1);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->data.empty());
}

TEST(DnsMessage, CodesAndBits) {
  const auto message =
      read("\x00\x07\x84\x83\x00\x01\x00\x00\x00\x00\x00\x00\x01\x61\x00\x00\x34\x00\x01"sv, 52);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->response_code, 3);
  EXPECT_FALSE(message->is_authentic);
  EXPECT_EQ(message->name, "a");
}

TEST(DnsMessage, WhatIsCutIsNone) {
  for (std::size_t size = 0; size < kAlias.size(); ++size)
    EXPECT_FALSE(read(kAlias.substr(0, size), 52)) << size;
}

}  // namespace
}  // namespace mta
