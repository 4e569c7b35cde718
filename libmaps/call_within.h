/// A limit for functions of other people's libraries that wait as long as they like.
///
///     Result<Address> address = call_within<Address>(30s, [name] { return resolve(name); });
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "libconf/result.h"
#include "libconf/text.h"

namespace libmaps {

/// Calls `function` in a thread of its own, which gets none of the signals for the process, and waits for its
/// result. Where that comes later than `limit`, it is dropped, and the thread ends when it ends: so the
/// function must own all that it uses. It must not throw. Errors: those of the function; kTemporary, the
/// reason alone.
///
/// Thread-safe. In a child process after fork(), too; but where the library was at work at that moment, its
/// locks stay locked there, and further calls of it end with their limits.
template <class T>
libconf::Result<T> call_within(std::chrono::seconds limit, std::function<libconf::Result<T>()> function) {
  const auto error = [](std::string message) {
    return libconf::Error{.kind = libconf::ErrorKind::kTemporary, .message = std::move(message)};
  };
  std::packaged_task<libconf::Result<T>()> task(std::move(function));
  std::future<libconf::Result<T>> result = task.get_future();
  sigset_t blocked;
  sigset_t before;
  ::sigfillset(&blocked);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) ::sigdelset(&blocked, fault);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
  std::error_code failed;
  try {
    std::thread(std::move(task)).detach();
  } catch (const std::system_error& failure) {
    failed = failure.code();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed) return error(libconf::concat("cannot start a thread: ", failed.message()));
  if (result.wait_for(limit) == std::future_status::ready) return result.get();
  return error(libconf::concat("no answer within ", std::to_string(limit.count()), " seconds"));
}

}  // namespace libmaps
