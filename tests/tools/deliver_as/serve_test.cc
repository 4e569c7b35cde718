#include "tools/deliver_as/serve.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/mta/delivery/user_action_wire.h"

namespace deliver_as {
namespace {

using mta::ActionHeader;
using mta::ActionKind;
using State = mta::FileText::State;

/// The answer to a request to read /etc/hostname.
std::optional<mta::FileText> read_as(uid_t user, gid_t group, std::uint32_t root = 0) {
  const ActionHeader header{.kind = ActionKind::kRead, .user = user, .group = group, .root = root};
  return mta::decode_text(answer(encode(header) + mta::encode_path("/etc/passwd"), -1, {"/nonexistent"}));
}

// Privileges that this process has are not given up by these: each is refused before.

TEST(DeliverAs, RootIsRefused) {
  const auto text = read_as(0, 65534);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->state, State::kUnavailable);
  EXPECT_EQ(text->reason, ::geteuid() == 0 ? "will not act as user 0 and group 65534"
                                           : "only root can act as user 0 and group 65534");
}

TEST(DeliverAs, TheGroupOfRootIsRefused) {
  const auto text = read_as(65534, 0);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->state, State::kUnavailable);
}

TEST(DeliverAs, NumbersThatMeanUnchangedAreRefused) {
  for (const auto& text : {read_as(static_cast<uid_t>(-1), 65534), read_as(65534, static_cast<gid_t>(-1))}) {
    ASSERT_TRUE(text);
    EXPECT_EQ(text->state, State::kUnavailable);
  }
}

TEST(DeliverAs, ARootThatWasNotNamedIsNoRequest) { EXPECT_FALSE(read_as(65534, 65534, 2)); }

TEST(DeliverAs, WhatIsNoRequestHasNoAnswer) {
  for (const std::string_view packet : {"", "x", "fifteen bytes.."}) EXPECT_EQ(answer(packet, -1, {}), "");
}

TEST(DeliverAs, WhoIsNotRootActsAsHimself) {
  constexpr id_t kNobody = 65534;
  EXPECT_EXIT(
      {
        if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(2);
        const auto text = read_as(::geteuid(), ::getegid());
        ::_exit(text && text->state == State::kText ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace deliver_as
