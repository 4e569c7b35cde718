#include "tools/mta/daemon/event_loop.h"

#include <asio/post.hpp>
#include <system_error>
#include <utility>

namespace mta {
namespace {

/// The loop whose handler runs in this thread.
thread_local EventLoop* running_here = nullptr;

}  // namespace

void EventLoop::run() {
  serve();
  // No thread is added any more: the io_context has no handler that could pause.
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void EventLoop::serve() {
  running_here = this;
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    if (is_taken_ || returning_ > 0) {
      ++waiting_;
      turn_.wait(lock);
      --waiting_;
      continue;
    }
    is_taken_ = true;
    lock.unlock();
    const bool had_work = io_.run_one() != 0;
    lock.lock();
    is_taken_ = false;
    if (!had_work) is_over_ = true;
    if (returning_ > 0) return_.notify_one();
  }
  turn_.notify_all();
  running_here = nullptr;
}

void EventLoop::leave() {
  const std::lock_guard lock(mutex_);
  is_taken_ = false;
  if (returning_ > 0) {
    return_.notify_one();
  } else if (waiting_ > 0) {
    turn_.notify_one();
  } else {
    try {
      threads_.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {
      // There are as many threads as may be: the others have to wait for one of them.
    }
  }
}

void EventLoop::come_back() {
  std::unique_lock lock(mutex_);
  if (is_taken_) {
    ++returning_;
    // Whoever has the turn may wait for an event: this is one.
    asio::post(io_, [] {});
    return_.wait(lock, [this] { return !is_taken_; });
    --returning_;
  }
  is_taken_ = true;
}

void EventLoop::drain() {
  is_draining_ = true;
  end_if_drained();
}

void EventLoop::end_if_drained() {
  if (is_draining_ && holds_ == 0) io_.stop();
}

bool EventLoop::has_one_hold() { return running_here != nullptr && running_here->holds_ == 1; }

EventLoop::Hold::Hold() : loop_(running_here) {
  if (loop_ != nullptr) ++loop_->holds_;
}

EventLoop::Hold::~Hold() {
  if (loop_ == nullptr) return;
  --loop_->holds_;
  loop_->end_if_drained();
}

EventLoop::Pause::Pause() : loop_(std::exchange(running_here, nullptr)) {
  if (loop_ != nullptr) loop_->leave();
}

EventLoop::Pause::~Pause() {
  if (loop_ == nullptr) return;
  loop_->come_back();
  running_here = loop_;
}

}  // namespace mta
