#include "tools/mta/address/verp.h"

#include <gtest/gtest.h>

namespace {

// VERP_README; the last ones as Postfix's bounce(8) took them.
TEST(Verp, TellsTheRecipient) {
  const struct {
    const char* sender;
    const char* delimiters;
    const char* recipient;
    const char* expected;
  } cases[] = {
      {"owner-listname@your.domain", "+=", "user@domain", "owner-listname+user=domain@your.domain"},
      {"list-x@example.org", "-=", "al@bad.test", "list-x-al=bad.test@example.org"},
      {"list@example.org", "+=", "carl+x@bad.test", "list+carl+x=bad.test@example.org"},
      {"list", "+=", "user@domain", "list+user=domain"},
      {"list@example.org", "+=", "user", "list+user@example.org"},
      {"a@b@example.org", "+=", "c@d@domain", "a@b+c@d=domain@example.org"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.expected);
    EXPECT_EQ(mta::verp_sender(c.sender, c.delimiters, c.recipient), c.expected);
  }
}

}  // namespace
