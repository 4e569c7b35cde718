#include "tools/mta/delivery/mailbox_lock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/libconf/temp_directory.h"

namespace mta {
namespace {

using std::chrono::milliseconds;

/// With a lock file, or what else `make` makes in its place, that is a second old, and stale.
class StaleLock : public testing::Test {
 protected:
  template <class Make>
  int take(std::uint32_t attempts, const Make& make) {
    make(name_);
    std::this_thread::sleep_for(milliseconds(1100));
    const LockRules rules = {.attempts = attempts, .delay = 1, .stale_time = 0};
    return lock_.take(path_, rules);
  }

  const postkit_test::TempDirectory scratch_;
  const std::string path_ = scratch_.path("mbox");
  const std::string name_ = path_ + ".lock";
  DotLock lock_;
};

void make_file(const std::string& name) { std::ofstream file(name); }

TEST_F(StaleLock, IsRemovedBeforeTheNextAttempt) {
  EXPECT_EQ(take(2, make_file), 0);
  EXPECT_TRUE(std::filesystem::exists(name_));
}

TEST_F(StaleLock, StaysWhenNoAttemptIsLeft) {
  EXPECT_EQ(take(1, make_file), EEXIST);
  EXPECT_TRUE(std::filesystem::exists(name_));
}

TEST_F(StaleLock, EndsTheAttemptsWhenItCannotBeRemoved) {
  EXPECT_EQ(take(3, [](const std::string& name) { std::filesystem::create_directory(name); }), EISDIR);
}

TEST_F(StaleLock, IsTheLocksWhateverItIsWhenNoAttemptIsLeft) {
  EXPECT_EQ(take(1, [](const std::string& name) { std::filesystem::create_directory(name); }), EEXIST);
}

TEST(MailboxLock, ThoseWhoWaitDoNotAllWaitAsLong) {
  const postkit_test::TempDirectory scratch;
  make_file(scratch.path("mbox.lock"));
  const LockRules rules = {.attempts = 2, .delay = 1};
  std::vector<std::future<milliseconds>> waits;
  for (int i = 0; i < 32; ++i)
    waits.push_back(std::async(std::launch::async, [&] {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_EQ(DotLock().take(scratch.path("mbox"), rules), EEXIST);
      return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    }));
  milliseconds shortest = milliseconds::max();
  for (auto& wait : waits) shortest = std::min(shortest, wait.get());
  EXPECT_GE(shortest, milliseconds(750));
  EXPECT_LT(shortest, milliseconds(1000));
}

}  // namespace
}  // namespace mta
