// Expected values are those of genuine Postfix, seen through `postmap -hm -q -`.
#include "tools/mta/content/content_type.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using Boundaries = std::vector<std::string>;

TEST(ContentType, TellsTheType) {
  constexpr auto kUnknown = MediaType::kUnknown;
  constexpr auto kText = MediaType::kText;
  constexpr auto kMessage = MediaType::kMessage;
  constexpr auto kMultipart = MediaType::kMultipart;
  const std::pair<const char*, MediaType> cases[] = {
      {"", kText},
      {" ", kText},
      {"(comment", kText},
      {"; text/html", kText},
      {"text", kText},
      {"TEXT/html; charset=x", kText},
      {"textual", kUnknown},
      {"image/png", kUnknown},
      {"/", kUnknown},
      {"\"text\"/plain", kUnknown},
      {"<message/rfc822>", kUnknown},
      {"message/rfc822", kMessage},
      {"Message / (c) RFC822 ; a=b", kMessage},
      {"message/\n rfc822 and more", kMessage},
      {"message/rfc822[", kMessage},
      {"message/global", kMessage},
      {"message", kText},
      {"message rfc822", kText},
      {"message//rfc822", kText},
      {"message;rfc822", kText},
      {"message/\"rfc822\"", kText},
      {"message/partial", kText},
      {"message/delivery-status", kText},
      {"multipart/mixed", kMultipart},
      {"(a(b\\))c)multipart", kMultipart},
      {"x-multipart/mixed", kUnknown},
  };
  for (const auto& [value, type] : cases) EXPECT_EQ(parse_content_type(value).type, type) << value;
}

TEST(ContentType, TellsADigest) {
  for (const char* value : {"multipart/digest", "MULTIPART / DIGEST; boundary=X", "multipart/(c)digest/x"})
    EXPECT_TRUE(parse_content_type(value).is_digest) << value;
  for (const char* value :
       {"multipart/digests", "multipart digest", "multipart/\"digest\"", "multipart;/digest"})
    EXPECT_FALSE(parse_content_type(value).is_digest) << value;
}

TEST(ContentType, ReadsTheBoundary) {
  const std::pair<const char*, Boundaries> cases[] = {
      {"boundary=X", {"X"}},
      {"BOUNDARY = X", {"X"}},
      {"boundary\n =\n\tX", {"X"}},
      {"charset=u; ;; a b; a=b c; boundary=X; d=e", {"X"}},
      {"(a; boundary=Y)boundary(b)=(c)X(d)", {"X"}},
      {"boundary=X Y", {"X"}},
      {"boundary=X/Y", {"X"}},
      {"boundary=X\\Y", {"X"}},
      {"boundary=X\r", {"X"}},
      {"boundary=\xc3\xa9'{|}~!", {"\xc3\xa9'{|}~!"}},
      {"boundary=/", {"/"}},
      {"boundary==X", {"="}},
      {"boundary=\"a b/c\"d", {"a b/c"}},
      {"boundary=\"\"", {""}},
      {"boundary=\"X", {"X"}},
      {"boundary=\"\\X\\\"\\\\\"", {"X\"\\"}},
      {"boundary=\"X\\", {"X"}},
      {"boundary=\"X \t\r\n Y\"", {"X Y"}},
      {"boundary=\"X\v\n Y\"", {"X\v Y"}},
      {"boundary=\"X\\\n Y\"", {"X\n Y"}},
      {"boundary=\"; a=b\"", {"; a=b"}},
      {"boundary=X; boundary=Y", {"X", "Y"}},
      {"boundary=", {}},
      {"boundary=;X", {}},
      {"boundary", {}},
      {"boundary X", {}},
      {"a boundary=X", {}},
      {"\"boundary\"=X", {}},
      {"boundary*=X", {}},
      {"a=(; boundary=X", {}},
      {"a=\"; boundary=X", {}},
  };
  for (const auto& [parameters, boundaries] : cases)
    EXPECT_EQ(parse_content_type(std::string("multipart/mixed; ") + parameters).boundaries, boundaries)
        << parameters;
  EXPECT_EQ(parse_content_type("multipart;boundary=X").boundaries, Boundaries{"X"});
  EXPECT_EQ(parse_content_type("multipart/mixed, boundary=X").boundaries, Boundaries{});
  EXPECT_EQ(parse_content_type("text/plain; boundary=X").boundaries, Boundaries{});
}

}  // namespace
}  // namespace mta
