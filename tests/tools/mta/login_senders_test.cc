#include "tools/mta/submission/login_senders.h"

#include <gtest/gtest.h>

#include "libconf/diagnostic.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"

namespace mta {
namespace {

class LoginSendersTest : public testing::Test {
 protected:
  libconf::Result<LoginSenders> open(const std::string& tables) {
    document_ = libconf::MainCfDocument::parse(
        "local_login_sender_maps = " + tables + "\nrecipient_delimiter = +-\n", "main.cf");
    settings_.emplace(&*document_, libconf::system_host());
    return LoginSenders::open({.settings = *settings_, .warnings = warnings_});
  }

  std::optional<libconf::MainCfDocument> document_;
  std::optional<libconf::Settings> settings_;
  libconf::DiagnosticList warnings_;
};

TEST_F(LoginSendersTest, PatternsOfAUser) {
  auto senders =
      open("inline:{ { ann = ann, @example.com  list@x.example }, { eve = <> }, { root = * }, { bob = } }");
  ASSERT_TRUE(senders) << senders.error().message;
  const struct {
    const char* login;
    const char* sender;
    bool allowed;
  } cases[] = {
      {"ann", "ann", true},
      {"ann", "ANN", true},
      {"ann", "ann+x", true},
      {"ann", "ann-x", true},
      {"ann", "annx", false},
      {"ann", "", false},
      {"ann", "+ann", false},
      {"ann", "anybody@EXAMPLE.com", true},
      {"ann", "anybody@sub.example.com", false},
      {"ann", "list@x.example", true},
      {"ann", "list+a@X.example", true},
      {"ann", "other@x.example", false},
      {"ann", "ann@example.org", false},
      {"eve", "", true},
      {"eve", "eve", false},
      {"root", "anybody", true},
      {"root", "", true},
      {"carl", "carl", false},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(std::string(each.login) + " as " + each.sender);
    const auto allowed = senders->allow(each.login, each.sender);
    ASSERT_TRUE(allowed) << allowed.error().message;
    EXPECT_EQ(*allowed, each.allowed);
  }
}

TEST_F(LoginSendersTest, ATableThatCannotTellIsNoAnswer) {
  auto senders = open("fail:x static:*");
  ASSERT_TRUE(senders) << senders.error().message;
  const auto allowed = senders->allow("ann", "ann");
  ASSERT_FALSE(allowed);
  EXPECT_EQ(allowed.error().kind, libconf::ErrorKind::kTemporary);
  EXPECT_EQ(allowed.error().message, "local_login_sender_maps table lookup error for 'fail:x'");
  ASSERT_EQ(warnings_.items().size(), 1U);
}

}  // namespace
}  // namespace mta
