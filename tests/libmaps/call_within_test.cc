#include "libmaps/call_within.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>

namespace libmaps {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using namespace std::literals;

/// Lets the functions of a test go on waiting until it is over.
class Gate {
 public:
  std::shared_future<void> closed() const { return closed_; }
  void open() { promise_.set_value(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> closed_ = promise_.get_future().share();
};

TEST(CallWithin, GivesWhatTheFunctionGives) {
  const auto value = call_within<std::string>(30s, [] { return Result<std::string>("x"); });
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "x");
  const auto error = call_within<std::string>(
      30s, [] { return Result<std::string>(Error{.kind = ErrorKind::kDataCorrupt, .message = "why"}); });
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().kind, ErrorKind::kDataCorrupt);
  EXPECT_EQ(error.error().message, "why");
}

TEST(CallWithin, DoesNotWaitForEver) {
  Gate gate;
  for (int i = 0; i < 3; ++i) {
    const auto late = call_within<int>(0s, [closed = gate.closed()] {
      closed.wait();
      return Result<int>(1);
    });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::kTemporary);
    EXPECT_EQ(late.error().message, "no answer within 0 seconds");
  }
  EXPECT_TRUE(call_within<int>(30s, [] { return Result<int>(1); }));
  gate.open();
}

TEST(CallWithin, GetsNoSignalsForTheProcess) {
  sigset_t before;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  const auto blocked = call_within<bool>(30s, [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return Result<bool>(::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGALRM) == 1);
  });
  EXPECT_TRUE(blocked && *blocked);
  sigset_t after;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
  EXPECT_EQ(::sigismember(&before, SIGTERM), ::sigismember(&after, SIGTERM));
}

TEST(CallWithin, WorksInAChildWhileACallOfTheParentHangs) {
  Gate gate;
  const auto begun = std::make_shared<std::promise<void>>();
  const auto wait = [closed = gate.closed(), begun] {
    begun->set_value();
    closed.wait();
    return Result<int>(1);
  };
  ASSERT_FALSE(call_within<int>(0s, wait));
  begun->get_future().wait();  // A thread that is being started has locks.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(call_within<int>(30s, [] { return Result<int>(7); }).value_or(0));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  gate.open();
}

}  // namespace
}  // namespace libmaps
