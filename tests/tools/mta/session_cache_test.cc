#include "tools/mta/delivery/session_cache.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>

#include "tests/tools/mta/no_log.h"

namespace mta {
namespace {

class SessionCacheTest : public testing::Test {
 protected:
  ~SessionCacheTest() override {
    for (const int each : peers_) ::close(each);
  }

  /// A session with a server of that name; its end of the connection is the next of peers_.
  std::unique_ptr<SmtpClientSession> session(std::string name) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peers_.push_back(ends[1]);
    const asio::generic::stream_protocol protocol(AF_UNIX, 0);
    StreamSocket socket(io_.get_executor(), protocol, ends[0]);
    return std::make_unique<SmtpClientSession>(options_, MailServer{.name = std::move(name)},
                                               std::make_unique<ServerConnection>(std::move(socket)),
                                               SessionTls(), SessionLogin(), log_, LogTag{.program = "smtp"});
  }

  bool is_closed(std::size_t peer) {
    char byte = 0;
    return ::recv(peers_[peer], &byte, 1, MSG_DONTWAIT) == 0;
  }

  asio::io_context io_;
  SmtpClientOptions options_;
  NoLog log_;
  std::vector<int> peers_;
};

TEST_F(SessionCacheTest, GivesTheLastOneOfAKey) {
  SessionCache cache(io_.get_executor(), std::chrono::seconds(10));
  auto first = session("a");
  auto second = session("a");
  const SmtpClientSession* const newest = second.get();
  const SmtpClientSession* const oldest = first.get();
  cache.put("a", std::move(first));
  cache.put("a", std::move(second));
  EXPECT_EQ(cache.take("b"), nullptr);
  EXPECT_EQ(cache.take("a").get(), newest);
  EXPECT_EQ(cache.take("a").get(), oldest);
  EXPECT_EQ(cache.take("a"), nullptr);
}

TEST_F(SessionCacheTest, ClosesWhatNobodyTakes) {
  SessionCache cache(io_.get_executor(), std::chrono::seconds(1));
  cache.put("a", session("a"));
  cache.put("b", session("b"));
  const auto taken = cache.take("b");
  io_.run_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(is_closed(0));
  io_.run_for(std::chrono::milliseconds(1000));
  EXPECT_TRUE(is_closed(0));
  EXPECT_FALSE(is_closed(1));
  EXPECT_EQ(cache.take("a"), nullptr);
}

TEST_F(SessionCacheTest, MayEndBeforeItsSessions) {
  {
    SessionCache cache(io_.get_executor(), std::chrono::seconds(1));
    cache.put("a", session("a"));
  }
  EXPECT_TRUE(is_closed(0));
  io_.run_for(std::chrono::milliseconds(1500));
}

}  // namespace
}  // namespace mta
