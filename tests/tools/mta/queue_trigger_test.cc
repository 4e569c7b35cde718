#include "tools/mta/daemon/queue_trigger.h"

#include <gtest/gtest.h>

#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <list>
#include <string>

#include "tests/libconf/temp_directory.h"
#include "tools/mta/daemon/local_socket.h"
#include "tools/mta/daemon/trigger.h"
#include "tools/mta/daemon/trigger_listener.h"

namespace mta {
namespace {

using namespace std::chrono_literals;

class QueueTriggerTest : public testing::Test {
 protected:
  /// Somebody listens, as long as the object lives.
  struct Listener {
    Listener(asio::io_context& io, const std::string& path)
        : trigger_listener(io, [this](std::string_view requests) {
            heard += requests;
            ++times;
          }) {
      auto socket = make_local_socket(path, SOCK_STREAM, {});
      EXPECT_TRUE(socket);
      if (!socket) return;
      EXPECT_TRUE(trigger_listener.listen(Transport::kUnix, std::move(*socket)));
    }
    TriggerListener trigger_listener;
    std::string heard;
    int times = 0;
  };

  Listener& listen() { return listeners_.emplace_back(io_, path()); }
  std::string path() const { return directory_.path("qmgr"); }
  void go_on() {
    io_.restart();
    io_.run_for(30ms);
  }

  postkit_test::TempDirectory directory_;
  asio::io_context io_;
  std::list<Listener> listeners_;
};

TEST_F(QueueTriggerTest, TellsOfManyMessagesOnce) {
  Listener& listener = listen();
  QueueTrigger trigger(io_, path());
  for (int i = 0; i < 1000; ++i) asio::post(io_, [&] { trigger.notify(); });
  go_on();
  EXPECT_FALSE(listener.heard.empty());
  EXPECT_EQ(listener.heard.find_first_not_of('I'), std::string::npos);
  EXPECT_LE(listener.times, 10);
  EXPECT_TRUE(listener.trigger_listener.was_used());
  const std::size_t before = listener.heard.size();
  trigger.notify();
  go_on();
  EXPECT_EQ(listener.heard.size(), before + 1);
}

TEST_F(QueueTriggerTest, FindsTheNextProcess) {
  Listener& first = listen();
  QueueTrigger trigger(io_, path());
  trigger.notify();
  go_on();
  EXPECT_EQ(first.heard, "I");
  first.trigger_listener.stop();
  go_on();
  Listener& second = listen();
  trigger.notify();
  go_on();
  EXPECT_EQ(first.heard, "I");
  EXPECT_EQ(second.heard, "I");
}

TEST_F(QueueTriggerTest, DoesNotMindThatNobodyListens) {
  QueueTrigger trigger(io_, path());
  trigger.notify();
  go_on();
  Listener& listener = listen();
  trigger.notify();
  go_on();
  EXPECT_EQ(listener.heard, "I");
}

// postqueue(1) and Postfix's own programs.
TEST_F(QueueTriggerTest, HearsWhatOthersSay) {
  Listener& listener = listen();
  ASSERT_TRUE(mta::trigger(path(), "FADI", 1s));
  go_on();
  EXPECT_EQ(listener.heard, std::string("FADI\0", 5));
}

}  // namespace
}  // namespace mta
