/// Runs the handlers of an io_context one at a time, in whichever thread is free: while one of them waits
/// where it cannot be suspended, as in the lookup of a table, the others go on.
///
///     EventLoop loop(io);
///     loop.run();
///     // In a handler, or a function that a coroutine calls:
///     { const EventLoop::Pause pause; value = table.lookup(key); }
///
/// All code that runs in the loop may share objects that are not thread-safe, as in a single thread: only one
/// handler runs at any time, and another one can come in between only where a coroutine is suspended, and
/// within a Pause.
#pragma once

#include <asio/io_context.hpp>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace mta {

class EventLoop {
 public:
  /// REQUIRES: `io` was made without a concurrency hint of one thread.
  explicit EventLoop(asio::io_context& io) : io_(io) {}
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs until the io_context has nothing more to do, or has been drained. Threads that wait for their turn
  /// are made as needed: one more than there are pauses at a time.
  void run();

  /// From now on, run() goes on only as long as there is a Hold: what else waits, such as a connection to a
  /// server that is kept for the next request, is not waited for. REQUIRES: called in the loop.
  void drain();

  /// Whether there is only one Hold: while its owner runs, and the loop waits for it, no client has to wait.
  /// REQUIRES: called in the loop, or where there is none: false.
  static bool has_one_hold();

  /// What must be finished even when the loop is drained: the work for a client. REQUIRES: made, and
  /// destroyed, in the loop; without a loop in this thread it does nothing.
  class Hold {
   public:
    Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold();

   private:
    EventLoop* const loop_;
  };

  /// While it lives, other handlers run. What they may use must be left alone, and what they may change must
  /// be looked at again afterwards. Without a loop in this thread, and within another pause, it does nothing.
  class Pause {
   public:
    Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause();

   private:
    EventLoop* const loop_;
  };

 private:
  void serve();
  void leave();
  void come_back();

  void end_if_drained();

  asio::io_context& io_;
  std::size_t holds_ = 0;
  bool is_draining_ = false;
  std::mutex mutex_;  ///< Of all that follows.
  std::condition_variable turn_;
  std::condition_variable return_;
  bool is_taken_ = false;  ///< A thread runs a handler, or waits for the next one.
  bool is_over_ = false;
  std::size_t waiting_ = 0;    ///< Threads that wait for their turn.
  std::size_t returning_ = 0;  ///< Threads whose pause is over. They come first: they have begun already.
  std::vector<std::thread> threads_;
};

}  // namespace mta
