#include "tools/mta/delivery/pipe_options.h"

#include <gtest/gtest.h>

#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "tools/mta/delivery/pipe_arguments.h"

namespace mta {
namespace {

class PipeOptionsTest : public testing::Test {
 protected:
  PipeOptionsTest() : settings_(nullptr, host()) { settings_.override_value("mail_owner", "mail"); }
  static libconf::Host host() { return {.name = "host.example.org"}; }
  libconf::Result<PipeOptions> read(std::vector<std::string> arguments) {
    return PipeOptions::read(arguments, settings_);
  }
  libconf::Settings settings_;
};

TEST_F(PipeOptionsTest, AttributesStandBeforeTheCommand) {
  const auto options = read({"-v", "-o", "x=y", "flags=FR, q", "user=nobody", "null_sender=", "eol=\\r\\n",
                             "size=10", "directory=/tmp", "argv=/bin/cat", "-o", "user=root"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->argv, (std::vector<std::string>{"/bin/cat", "-o", "user=root"}));
  EXPECT_EQ(options->null_sender, "");
  EXPECT_EQ(options->end_of_line, "\r\n");
  EXPECT_EQ(options->size_limit, 10U);
  EXPECT_EQ(options->directory, "/tmp");
  EXPECT_TRUE(options->has(PipeFlag::kFromLine) && options->has(PipeFlag::kQuote));
  EXPECT_FALSE(options->has(PipeFlag::kFinal));
}

// Each as Postfix 3.7 says it when it ends.
TEST_F(PipeOptionsTest, WhatIsWrongIsSaid) {
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } cases[] = {
      {{"argv=/bin/cat"}, "missing user= command-line attribute"},
      {{"user=nobody"}, "missing argv= command-line attribute"},
      {{"user=nobody", "argv="}, "missing argv= command-line attribute"},
      {{"user=root", "argv=x"}, "user= command-line attribute specifies root privileges"},
      {{"user=nobody:root", "argv=x"}, "user= command-line attribute specifies privileged group id 0"},
      {{"user=mail", "argv=x"}, "user= command-line attribute specifies mail system owner mail"},
      {{"user=nonesuch", "argv=x"}, "unknown username: nonesuch"},
      {{"user=nobody", "flags=Z", "argv=x"}, "unknown flag: Z (ignored)"},
  };
  for (const auto& [arguments, message] : cases) {
    const auto options = read(arguments);
    ASSERT_FALSE(options) << message;
    EXPECT_EQ(options.error().message, message);
  }
}

class PipeArgumentsTest : public testing::Test {
 protected:
  std::vector<std::string> expand(std::vector<std::string> argv, std::string flags = "") {
    options_.argv = std::move(argv);
    options_.flags = std::move(flags);
    auto expanded = expand_pipe_arguments(options_, request_);
    return expanded ? *expanded : std::vector<std::string>{expanded.error().message};
  }
  PipeOptions options_{.recipient_delimiter = "+", .config_directory = "/etc/postfix"};
  DeliveryRequest request_{
      .queue_id = "4A1B2C",
      .transport = "maildrop",
      .nexthop = "Next.Hop",
      .sender = "a b@example.org",
      .recipients = {{.address = "Ann+Ext@Example.com"}, {.address = "bob@example.com"}}};
};

using Words = std::vector<std::string>;

TEST_F(PipeArgumentsTest, AnArgumentOfRecipientsComesForEach) {
  EXPECT_EQ(expand({"x", "-$user", "$sender"}), (Words{"x", "-Ann", "-bob", "a b@example.org"}));
  EXPECT_EQ(expand({"${mailbox}:$(extension)"}), (Words{"Ann+Ext:Ext", "bob:"}));
  EXPECT_EQ(expand({"$$user", "$nexthop"}), (Words{"$user", "Next.Hop"}));
}

TEST_F(PipeArgumentsTest, FlagsFoldAndQuote) {
  EXPECT_EQ(expand({"$recipient"}, "h"), (Words{"Ann+Ext@example.com", "bob@example.com"}));
  EXPECT_EQ(expand({"$recipient"}, "u"), (Words{"ann+ext@Example.com", "bob@example.com"}));
  EXPECT_EQ(expand({"$sender", "$nexthop"}, "hq"), (Words{"\"a b\"@example.org", "next.hop"}));
}

TEST_F(PipeArgumentsTest, TheNullSenderHasAReplacement) {
  request_.sender.clear();
  EXPECT_EQ(expand({"$sender"}, "q"), Words{"MAILER-DAEMON"});
  options_.null_sender.clear();
  EXPECT_EQ(expand({"$sender"}, "q"), Words{""});
}

TEST_F(PipeArgumentsTest, OtherMacrosAreAnError) {
  EXPECT_EQ(expand({"${user?x}"}),
            Words{"file /etc/postfix/master.cf: service maildrop: unknown macro name: \"user?x\""});
  EXPECT_EQ(expand({"${user"}), Words{"truncated macro reference: \"${user\""});
}

}  // namespace
}  // namespace mta
