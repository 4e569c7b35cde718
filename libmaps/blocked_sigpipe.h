/// Keeps SIGPIPE from killing the process while a library writes to a connection that the server may have
/// closed.
///
///     const BlockedSigpipe guard;
///     ::library_write(...);  // EPIPE, and no more
#pragma once

#include <csignal>
#include <ctime>

namespace libmaps {

/// For the calling thread, while it lives. The process's handlers are left alone: a library must not change
/// what its program decided about signals.
class BlockedSigpipe {
 public:
  BlockedSigpipe() {
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  BlockedSigpipe(const BlockedSigpipe&) = delete;
  BlockedSigpipe& operator=(const BlockedSigpipe&) = delete;
  ~BlockedSigpipe() {
    // One that came meanwhile is taken away, or it would be delivered now.
    constexpr timespec kAtOnce{};
    if (!was_pending_)
      while (::sigtimedwait(&sigpipe_, nullptr, &kAtOnce) == SIGPIPE) continue;
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace libmaps
