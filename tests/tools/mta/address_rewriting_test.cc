// ADDRESS_REWRITING_README; what it leaves open is as a stock Postfix does it.
#include "tools/mta/address/address_rewriting.h"

#include <gtest/gtest.h>

#include "tests/tools/mta/address_settings.h"

namespace mta {
namespace {

struct Case {
  const char* address;
  const char* local;
  const char* remote;
};

void expect(const AddressRewriting& rewriting, const Case& c) {
  EXPECT_EQ(rewriting.rewrite(RewriteContext::kLocal, c.address), c.local) << c.address;
  EXPECT_EQ(rewriting.rewrite(RewriteContext::kRemote, c.address), c.remote) << c.address;
}

TEST(AddressRewriting, GivesStandardForm) {
  const AddressRewriting rewriting = AddressSettings({}).rewriting();
  const Case cases[] = {
      {"", "", ""},
      {"user", "user@o.example", "user"},
      {"@hosta,@hostb:user@site", "user@site", "user@site"},
      {"@hosta:user", "user@o.example", "user"},
      {"site!user", "user@site", "user@site"},
      {"a!b!c", "b!c@a", "b!c@a"},
      {"user%site", "user@site", "user@site"},
      {"a%b%c", "a%b@c", "a%b@c"},
      {"a!b%c", "b%c@a", "b%c@a"},
      {"a!b@c", "a!b@c", "a!b@c"},
      {"user@host", "user@host", "user@host"},
      {"user@site.", "user@site", "user@site"},
      {"user@site..", "user@site..", "user@site.."},
      {"user@", "user@", "user@"},
      {"@", "\"\"", "\"\""},
      {"@site", "\"\"@site", "\"\"@site"},
      {"!", "\"\"@", "\"\"@"},
      {"\"a b\"@c", "\"a b\"@c", "\"a b\"@c"},
      {"\"a!b\"", "a!b@o.example", "a!b"},
      {"a b", "\"a b\"@o.example", "\"a b\""},
      {"user@[192.0.2.1]", "user@[192.0.2.1]", "user@[192.0.2.1]"},
  };
  for (const Case& c : cases) expect(rewriting, c);
}

TEST(AddressRewriting, AppendsDomains) {
  const AddressRewriting rewriting = AddressSettings({{"append_dot_mydomain", "yes"},
                                                      {"myorigin", "here"},
                                                      {"remote_header_rewrite_domain", "domain.invalid"}})
                                         .rewriting();
  const Case cases[] = {
      {"user", "user@here.example.com", "user@domain.invalid"},
      {"user@host", "user@host.example.com", "user@host.domain.invalid"},
      {"user@host.", "user@host", "user@host"},
      {"user@a.b", "user@a.b", "user@a.b"},
      {"user@[192.0.2.1]", "user@[192.0.2.1]", "user@[192.0.2.1]"},
      {"user@", "user@", "user@"},
      {"site!user", "user@site.example.com", "user@site.domain.invalid"},
  };
  for (const Case& c : cases) expect(rewriting, c);
}

TEST(AddressRewriting, CanBeTurnedOff) {
  const AddressRewriting rewriting =
      AddressSettings({{"append_at_myorigin", "no"}, {"swap_bangpath", "no"}, {"allow_percent_hack", "no"}})
          .rewriting();
  const Case cases[] = {
      {"user", "user", "user"}, {"a!b", "a!b", "a!b"}, {"a%b", "a%b", "a%b"}, {"user.", "user", "user"}};
  for (const Case& c : cases) expect(rewriting, c);
}

}  // namespace
}  // namespace mta
