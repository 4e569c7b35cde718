#include "tools/mta/submission/attribute_list.h"

#include <gtest/gtest.h>

#include <string>

namespace mta {
namespace {

using namespace std::string_literals;

TEST(AttributeList, IsReadAsItIsWrittenHoweverItIsDivided) {
  const AttributeList first = {{"protocol", "postdrop_protocol"}, {"queue_id", "ABC"}};
  const AttributeList second = {{"status", "0"}, {"reason", ""}};
  const std::string text = format_attribute_list(first) + format_attribute_list(second);
  EXPECT_EQ(text, "protocol\0postdrop_protocol\0queue_id\0ABC\0\0status\0000\0reason\0\0\0"s);
  AttributeListReader reader;
  std::vector<AttributeList> lists;
  for (const char c : text) {
    ASSERT_TRUE(reader.feed({&c, 1}));
    while (auto list = reader.take()) lists.push_back(std::move(*list));
  }
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0], first);
  EXPECT_EQ(lists[1], second);
  EXPECT_EQ(find_attribute(lists[1], "reason"), "");
  EXPECT_EQ(find_attribute(lists[1], "queue_id"), std::nullopt);
}

TEST(AttributeList, HasAnEnd) {
  AttributeListReader reader;
  const std::string much(60000, 'x');
  EXPECT_TRUE(reader.feed(much));
  EXPECT_FALSE(reader.take());
  EXPECT_FALSE(reader.feed(much));
}

}  // namespace
}  // namespace mta
