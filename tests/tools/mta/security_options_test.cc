// The names are those of postconf(5), smtpd_sasl_security_options; the error is worded as Postfix has it.
#include "tools/mta/sasl/security_options.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

TEST(SecurityOptions, AreRead) {
  const std::pair<const char*, SecurityOptions> cases[] = {
      {"", {}},
      {" , ", {}},
      {"noanonymous", {.noanonymous = true}},
      {"noanonymous, noplaintext", {.noplaintext = true, .noanonymous = true}},
      {"NoActive\tnodictionary", {.noactive = true, .nodictionary = true}},
      {"forward_secrecy,mutual_auth", {.forward_secrecy = true, .mutual_auth = true}},
  };
  for (const auto& [text, expected] : cases) {
    const libconf::Result<SecurityOptions> options = parse_security_options(text);
    ASSERT_TRUE(options) << text;
    EXPECT_EQ(*options, expected) << text;
  }
}

TEST(SecurityOptions, RefuseUnknownNames) {
  const libconf::Result<SecurityOptions> options = parse_security_options("noanonymous foo");
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().kind, libconf::ErrorKind::kConfiguration);
  EXPECT_EQ(options.error().message, "unknown SASL security options value \"foo\" in \"noanonymous foo\"");
}

}  // namespace
}  // namespace mta
