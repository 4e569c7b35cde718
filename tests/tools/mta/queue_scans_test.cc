#include "tools/mta/queue/queue_scans.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "tests/tools/mta/no_log.h"
#include "tests/tools/mta/queue_scratch.h"

namespace mta {
namespace {

class QueueScansTest : public testing::Test {
 protected:
  void put(const std::string& name, std::time_t due) const {
    scratch_.write(name, "text", 0700);
    const timespec times[2] = {{.tv_sec = due}, {.tv_sec = due}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (scratch_.path() + "/" + name).c_str(), times, 0), 0);
  }

  QueueScratch scratch_;
  QueueDirectory queue_{QueueDirectoryOptions{.path = scratch_.path()}};
  NoLog log_;
  QueueScans scans_{queue_, log_};
};

TEST_F(QueueScansTest, TakesWhatIsDue) {
  const std::time_t now = std::time(nullptr);
  put("incoming/1A", now - 10);
  put("incoming/1B", now + 1000);
  scans_.want(Queue::kIncoming);
  std::vector<std::string> found;
  while (scans_.has_work())
    if (const auto due = scans_.next()) found.push_back(due->id);
  EXPECT_EQ(found, std::vector<std::string>{"1A"});
}

// time(2) would still be in the second before.
TEST_F(QueueScansTest, TakesWhatComesWithANewSecond) {
  using std::chrono::system_clock;
  const auto second = std::chrono::ceil<std::chrono::seconds>(system_clock::now());
  put("incoming/1A", system_clock::to_time_t(second));
  while (system_clock::now() < second) continue;
  scans_.want(Queue::kIncoming);
  const auto due = scans_.next();
  const auto other = due ? due : scans_.next();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->id, "1A");
}

}  // namespace
}  // namespace mta
