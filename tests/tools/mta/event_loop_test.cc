#include "tools/mta/daemon/event_loop.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

namespace {

using mta::EventLoop;
using namespace std::chrono_literals;

TEST(EventLoop, EndsWhenThereIsNothingToDo) {
  asio::io_context io;
  int ran = 0;
  asio::post(io, [&] { ++ran; });
  EventLoop(io).run();
  EXPECT_EQ(ran, 1);
}

TEST(EventLoop, DrainedEndsWithTheLastHold) {
  asio::io_context io;
  EventLoop loop(io);
  asio::steady_timer idle(io, 1h);
  idle.async_wait([](const asio::error_code&) {});
  int finished = 0;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(
        io,
        [&, i]() -> asio::awaitable<void> {
          const EventLoop::Hold hold;
          asio::steady_timer work(io, i * 5ms);
          co_await work.async_wait(asio::use_awaitable);
          if (i == 0) loop.drain();
          ++finished;
        },
        asio::detached);
  }
  loop.run();
  EXPECT_EQ(finished, 3);
}

TEST(EventLoop, KnowsWhetherThereIsOneHold) {
  EXPECT_FALSE(EventLoop::has_one_hold()) << "no loop";
  asio::io_context io;
  EventLoop loop(io);
  asio::post(io, [] {
    EXPECT_FALSE(EventLoop::has_one_hold());
    const EventLoop::Hold first;
    EXPECT_TRUE(EventLoop::has_one_hold());
    const EventLoop::Hold second;
    EXPECT_FALSE(EventLoop::has_one_hold());
  });
  loop.run();
}

TEST(EventLoop, DrainedEndsAtOnceWithoutHolds) {
  asio::io_context io;
  EventLoop loop(io);
  asio::steady_timer idle(io, 1h);
  idle.async_wait([](const asio::error_code&) {});
  asio::post(io, [&] { loop.drain(); });
  const auto start = std::chrono::steady_clock::now();
  loop.run();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(EventLoop, RunsOtherHandlersDuringAPause) {
  asio::io_context io;
  std::promise<void> other_ran;
  std::string order;
  asio::post(io, [&] {
    order += "a";
    {
      const EventLoop::Pause pause;
      EXPECT_EQ(other_ran.get_future().wait_for(10s), std::future_status::ready);
    }
    order += "c";
  });
  asio::post(io, [&] {
    order += "b";
    other_ran.set_value();
  });
  EventLoop(io).run();
  EXPECT_EQ(order, "abc");
}

TEST(EventLoop, ComesBackThoughTheOthersWaitForAnEvent) {
  asio::io_context io;
  asio::steady_timer far(io, 1h);
  far.async_wait([](const asio::error_code&) {});
  asio::post(io, [&] {
    {
      const EventLoop::Pause pause;
      std::this_thread::sleep_for(20ms);  // The other thread is asleep by now.
    }
    far.cancel();
  });
  const auto start = std::chrono::steady_clock::now();
  EventLoop(io).run();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST(EventLoop, RunsOneHandlerAtATime) {
  constexpr int kHandlers = 64;
  constexpr int kRounds = 20;
  asio::io_context io;
  int unguarded = 0;
  std::atomic<int> inside = 0;
  std::atomic<int> paused = 0;
  std::atomic<int> most_paused = 0;
  const auto handler = [&]() -> asio::awaitable<void> {
    for (int round = 0; round < kRounds; ++round) {
      EXPECT_EQ(++inside, 1);
      ++unguarded;
      --inside;
      {
        const EventLoop::Pause pause;
        const int now = ++paused;
        for (int most = most_paused; now > most && !most_paused.compare_exchange_weak(most, now);) {
        }
        std::this_thread::sleep_for(200us);
        --paused;
      }
      EXPECT_EQ(++inside, 1);
      ++unguarded;
      --inside;
      asio::steady_timer timer(io, 100us);
      co_await timer.async_wait(asio::use_awaitable);
    }
  };
  for (int i = 0; i < kHandlers; ++i) asio::co_spawn(io, handler(), asio::detached);
  EventLoop(io).run();
  EXPECT_EQ(unguarded, 2 * kHandlers * kRounds);
  EXPECT_GT(most_paused, 1);
}

TEST(EventLoop, PausesNestAndDoNothingElsewhere) {
  { const EventLoop::Pause outside_of_a_loop; }
  asio::io_context io;
  int ran = 0;
  asio::post(io, [&] {
    const EventLoop::Pause outer;
    { const EventLoop::Pause inner; }
    asio::post(io, [&] { ++ran; });
  });
  EventLoop(io).run();
  EXPECT_EQ(ran, 1);
}

}  // namespace
