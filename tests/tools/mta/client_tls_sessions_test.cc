#include "tools/mta/delivery/client_tls_sessions.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

TEST(ClientTlsSessions, AreFoundByTheirKeys) {
  ClientTlsSessions sessions(std::chrono::hours(1));
  SSL_SESSION* const first = SSL_SESSION_new();
  SSL_SESSION* const second = SSL_SESSION_new();
  sessions.put("a", first);
  sessions.put("b", second);
  EXPECT_EQ(sessions.find("a"), first);
  EXPECT_EQ(sessions.find("b"), second);
  EXPECT_EQ(sessions.find("c"), nullptr);
  SSL_SESSION* const third = SSL_SESSION_new();
  sessions.put("a", third);
  EXPECT_EQ(sessions.find("a"), third);
}

TEST(ClientTlsSessions, OldOnesAreForgotten) {
  ClientTlsSessions sessions(std::chrono::seconds(0));
  sessions.put("a", SSL_SESSION_new());
  EXPECT_EQ(sessions.find("a"), nullptr);
}

TEST(ClientTlsSessions, ThereAreNotTooMany) {
  ClientTlsSessions sessions(std::chrono::hours(1));
  for (int i = 0; i <= 1000; ++i) sessions.put(std::to_string(i), SSL_SESSION_new());
  EXPECT_EQ(sessions.find("0"), nullptr);
  EXPECT_NE(sessions.find("1"), nullptr);
  EXPECT_NE(sessions.find("1000"), nullptr);
}

}  // namespace
}  // namespace mta
