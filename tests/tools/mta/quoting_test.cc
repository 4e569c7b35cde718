#include "tools/mta/address/quoting.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace mta {
namespace {

// RFC 5321, section 4.1.2; RFC 5322, section 3.4.1.
TEST(Quoting, HasTwoForms) {
  const std::pair<const char*, const char*> cases[] = {
      // internal, external
      {"", ""},
      {"user", "user"},
      {"user@example.com", "user@example.com"},
      {"a.b+c@example.com", "a.b+c@example.com"},
      {"a b@example.com", "\"a b\"@example.com"},
      {"a@b@example.com", "\"a@b\"@example.com"},
      {"a\"b@example.com", "\"a\\\"b\"@example.com"},
      {"a\\b@example.com", "\"a\\\\b\"@example.com"},
      {"a,b@example.com", "\"a,b\"@example.com"},
      {".a@example.com", "\".a\"@example.com"},
      {"a.@example.com", "\"a.\"@example.com"},
      {"a..b@example.com", "\"a..b\"@example.com"},
      {"a\x01@example.com", "\"a\x01\"@example.com"},
      {"@example.com", "\"\"@example.com"},
      {"user@", "user@"},
      {"a!b%c@example.com", "a!b%c@example.com"},
      {"\xc3\xa9@example.com", "\xc3\xa9@example.com"},
      {"@a,@b:a b@example.com", "@a,@b:\"a b\"@example.com"},
      {"user@[192.0.2.1]", "user@[192.0.2.1]"},
  };
  for (const auto& [internal, external] : cases) {
    EXPECT_EQ(quote_address(internal), external);
    EXPECT_EQ(unquote_address(external), internal);
  }
}

TEST(Quoting, UnquotesWhatNeedNotBeQuoted) {
  const std::pair<const char*, const char*> cases[] = {
      {"\"a\"@b", "a@b"}, {"\"a\".\"b\"@c", "a.b@c"}, {"a\\@b@c", "a@b@c"},
      {"\"a", "a"},       {"\"a@b", "a@b"},           {"a\\", "a"},
      {"\"\"", ""},       {"a@\"b\"", "a@\"b\""},
  };
  for (const auto& [external, internal] : cases) EXPECT_EQ(unquote_address(external), internal) << external;
}

}  // namespace
}  // namespace mta
