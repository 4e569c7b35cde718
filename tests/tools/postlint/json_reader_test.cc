#include "tools/postlint/json_reader.h"

#include <gtest/gtest.h>

#include "tools/postlint/json_writer.h"

namespace postlint {
namespace {

TEST(JsonReaderTest, ReadsAllKinds) {
  const auto value =
      parse_json(R"({"a": [1, -2.5e1, true, false, null], "b": {"c": "x\"\\\u00e9\ud83d\ude00\n"}} )", "f");
  ASSERT_TRUE(value) << value.error().message;
  const JsonValue* a = value->member("a");
  ASSERT_TRUE(a && a->array());
  ASSERT_EQ(a->array()->size(), 5U);
  EXPECT_EQ(*(*a->array())[1].number(), -25.0);
  EXPECT_EQ(*(*a->array())[2].boolean(), true);
  EXPECT_EQ((*a->array())[4].string(), nullptr);
  const JsonValue* b = value->member("b");
  ASSERT_TRUE(b && b->member("c"));
  EXPECT_EQ(*b->member("c")->string(), "x\"\\\xC3\xA9\xF0\x9F\x98\x80\n");
  EXPECT_EQ(value->member("d"), nullptr);
}

TEST(JsonReaderTest, RefusesWhatIsNone) {
  struct Case {
    std::string_view text, message;
  };
  for (const Case& c :
       {Case{"", "f, line 1: no value"}, Case{"{\n\"a\" 1}", "f, line 2: no ':' behind a name"},
        Case{"[1,]", "f, line 1: no value"}, Case{"{a: 1}", "f, line 1: no string"},
        Case{"\"x", "f, line 1: a string without an end"},
        Case{"\"\\x\"", "f, line 1: a bad escape in a string"},
        Case{"\"\\ud800\"", "f, line 1: a bad escape in a string"},
        Case{"1 2", "f, line 1: text behind the value"}, Case{"inf", "f, line 1: no value"},
        Case{"[1", "f, line 1: no ']'"}}) {
    const auto value = parse_json(c.text, "f");
    ASSERT_FALSE(value) << c.text;
    EXPECT_EQ(value.error().message, c.message) << c.text;
  }
  EXPECT_FALSE(parse_json(std::string(100000, '['), "f"));
}

TEST(JsonReaderTest, ReadsWhatTheWriterWrites) {
  JsonWriter json;
  json.begin_object();
  json.member("text", "{\"[\x01");
  json.key("list");
  json.begin_array();
  json.value(1);
  json.value(true);
  json.begin_object();
  json.end_object();
  json.end_array();
  json.end_object();
  const auto value = parse_json(json.text(), "f");
  ASSERT_TRUE(value) << json.text();
  EXPECT_EQ(*value->member("text")->string(), "{\"[\x01");
  EXPECT_EQ(value->member("list")->array()->size(), 3U);
}

}  // namespace
}  // namespace postlint
