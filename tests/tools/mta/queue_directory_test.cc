#include "tools/mta/queue/queue_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "libconf/host.h"
#include "tests/tools/mta/queue_scratch.h"

namespace mta {
namespace {

using libconf::ErrorKind;
using libconf::Result;

constexpr QueueTime kNow = QueueTime(std::chrono::microseconds(1795904234'864287));
constexpr std::chrono::sys_seconds kLater{std::chrono::seconds(4'000'000'000)};

class QueueDirectoryTest : public testing::TestWithParam<bool> {
 protected:
  QueueDirectory directory(std::vector<std::string> hashed = {}, int depth = 1) const {
    return QueueDirectory({.path = scratch_.path(),
                           .hash_queue_names = std::move(hashed),
                           .hash_queue_depth = depth,
                           .may_be_unnamed = GetParam()});
  }
  std::string published(const QueueDirectory& queue, Queue where) const {
    Result<QueueFile> file = queue.create(where, kNow);
    EXPECT_TRUE(file) << file.error().message;
    EXPECT_TRUE(file->write_at(0, "text"));
    const Result<std::string> place = queue.directory_of(where, file->id());
    EXPECT_TRUE(place) << place.error().message;
    EXPECT_TRUE(file->publish(*place + file->id()));
    return file->id();
  }

  QueueScratch scratch_;
};

INSTANTIATE_TEST_SUITE_P(, QueueDirectoryTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Unnamed" : "Named"; });

TEST_P(QueueDirectoryTest, NamesAFileByItsInode) {
  const QueueDirectory queue = directory();
  const std::string id = published(queue, Queue::kIncoming);
  EXPECT_EQ(scratch_.files(), std::vector{"incoming/" + id});
  struct stat status {};
  ASSERT_EQ(::stat(queue.path_of(Queue::kIncoming, id).c_str(), &status), 0);
  EXPECT_EQ(id, make_queue_id(QueueIdForm::kShort, kNow, status.st_ino));
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  EXPECT_EQ(status.st_nlink, 1U);
}

TEST_P(QueueDirectoryTest, NobodySeesAFileWithoutAName) {
  const QueueDirectory queue = directory();
  {
    const Result<QueueFile> file = queue.create(Queue::kIncoming, kNow);
    ASSERT_TRUE(file);
    for (const std::string& name : scratch_.files())
      EXPECT_FALSE(is_queue_id(std::filesystem::path(name).filename().string())) << name;
    EXPECT_EQ(scratch_.files().empty(), GetParam());
  }
  EXPECT_TRUE(scratch_.files().empty()) << "an abandoned file goes";
}

TEST_P(QueueDirectoryTest, MovesAndRemoves) {
  const QueueDirectory queue = directory({"deferred", "hold"}, 2);
  const std::string id = published(queue, Queue::kHold);
  const std::string hashed = std::string{id[0]} + '/' + id[1] + '/' + id;
  EXPECT_EQ(scratch_.files(), std::vector{"hold/" + hashed});
  ASSERT_TRUE(queue.move(id, Queue::kHold, Queue::kActive));
  EXPECT_EQ(scratch_.files(), std::vector{"active/" + id});
  ASSERT_TRUE(queue.move(id, Queue::kActive, Queue::kDeferred));
  EXPECT_EQ(scratch_.files(), std::vector{"deferred/" + hashed});
  EXPECT_EQ(queue.path_of(Queue::kDeferred, id), scratch_.path() + "/deferred/" + hashed);
  EXPECT_FALSE(queue.move(id, Queue::kActive, Queue::kHold));
  ASSERT_TRUE(queue.remove(Queue::kDeferred, id));
  EXPECT_TRUE(scratch_.files().empty());
  const Result<void> again = queue.remove(Queue::kDeferred, id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message,
            "remove " + scratch_.path() + "/deferred/" + hashed + ": No such file or directory");
  EXPECT_EQ(again.error().kind, ErrorKind::kInputOutput);
}

TEST_P(QueueDirectoryTest, ReplacesNothing) {
  const QueueDirectory queue = directory();
  Result<QueueFile> file = queue.create(Queue::kIncoming, kNow);
  ASSERT_TRUE(file);
  const std::string path = queue.path_of(Queue::kIncoming, file->id());
  scratch_.write("incoming/" + file->id(), "another message", 0700);
  const Result<void> result = file->publish(path);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kTemporary);
  EXPECT_EQ(std::filesystem::file_size(path), 15U);
  scratch_.write("active/" + file->id(), "x", 0700);
  EXPECT_FALSE(queue.move(file->id(), Queue::kIncoming, Queue::kActive));
}

TEST_P(QueueDirectoryTest, SweepsWhatIsNotComplete) {
  const QueueDirectory queue = directory({"incoming"}, 1);
  const std::string id = published(queue, Queue::kIncoming);
  scratch_.write("incoming/A/ABCDE1", "cut off by a crash of Postfix", 0600);
  scratch_.write("incoming/ABCDE2", "from before hashing", 0600);
  scratch_.write("incoming/123.456.7", "cut off by a crash of ours", 0700);
  const Result<QueueFile> writing = queue.create(Queue::kIncoming, kNow);
  ASSERT_TRUE(writing);
  EXPECT_EQ(queue.sweep(Queue::kIncoming, std::chrono::sys_seconds(std::chrono::seconds(1))).value_or(99), 0U)
      << "all are younger";
  EXPECT_EQ(queue.sweep(Queue::kIncoming, kLater).value_or(99), GetParam() ? 3U : 4U);
  EXPECT_EQ(scratch_.files(), std::vector{"incoming/" + std::string{id[0]} + '/' + id});
  EXPECT_EQ(queue.sweep(Queue::kMaildrop, kLater).value_or(99), 0U);
  std::filesystem::remove_all(scratch_.path() + "/hold");
  EXPECT_FALSE(queue.sweep(Queue::kHold, kLater));
}

TEST_P(QueueDirectoryTest, LongIds) {
  const QueueDirectory queue(
      {.path = scratch_.path(), .id_form = QueueIdForm::kLong, .may_be_unnamed = GetParam()});
  const auto parts = parse_queue_id(published(queue, Queue::kIncoming));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->form, QueueIdForm::kLong);
  EXPECT_EQ(parts->seconds, std::chrono::floor<std::chrono::seconds>(kNow));
}

/// Lowers a limit of this process while it lives.
class LowerLimit {
 public:
  LowerLimit(__rlimit_resource resource, rlim_t limit) : resource_(resource) {
    ::getrlimit(resource_, &before_);
    const rlimit lower{.rlim_cur = limit, .rlim_max = before_.rlim_max};
    ::setrlimit(resource_, &lower);
  }
  LowerLimit(const LowerLimit&) = delete;
  LowerLimit& operator=(const LowerLimit&) = delete;
  ~LowerLimit() { ::setrlimit(resource_, &before_); }

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

TEST_P(QueueDirectoryTest, NoDescriptorsLeftPasses) {
  const QueueDirectory queue = directory();
  // A sanitizer that sees a class for the first time needs a descriptor.
  static_cast<void>(queue_error("open ", "x", EMFILE));
  ASSERT_TRUE(queue.create(Queue::kIncoming, kNow));
  {
    const LowerLimit limit(RLIMIT_NOFILE, 3);
    const Result<QueueFile> file = queue.create(Queue::kIncoming, kNow);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind, ErrorKind::kTemporary);
    EXPECT_NE(file.error().message.find("Too many open files"), std::string::npos) << file.error().message;
  }
  EXPECT_TRUE(scratch_.files().empty());
  EXPECT_TRUE(queue.create(Queue::kIncoming, kNow));
}

TEST_P(QueueDirectoryTest, TellsWhenADirectoryIsMissing) {
  std::filesystem::remove_all(scratch_.path() + "/incoming");
  const Result<QueueFile> file = directory().create(Queue::kIncoming, kNow);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("No such file or directory"), std::string::npos)
      << file.error().message;
}

TEST(QueueDirectory, ErrorsThatPassAreTemporary) {
  for (const int error_number : {ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM})
    EXPECT_EQ(queue_error("write ", "x", error_number).kind, ErrorKind::kTemporary) << error_number;
  for (const int error_number : {EIO, EACCES, EROFS, ENOENT})
    EXPECT_EQ(queue_error("write ", "x", error_number).kind, ErrorKind::kInputOutput) << error_number;
}

// As Postfix 3.7 decides, on a file system with so many bytes free.
TEST(QueueDirectory, NeedsRoom) {
  struct Case {
    SpaceRule rule;
    std::uint64_t free;
    bool has_room;
  };
  const Case cases[] = {
      {{0, 10240000}, 15355904, false},
      {{0, 10240000}, 15368192, true},
      {{0, 10240000}, 1495040, false},
      {{0, 1000000}, 1495040, false},
      {{0, 1000000}, 1503232, true},
      {{20000000, 1000000}, 19996672, false},
      {{20000000, 1000000}, 20004864, true},
      {{20000000, 1000000}, 15368192, false},
      {{0, 0}, 1495040, true},
      {{5000000, 0}, 4997120, false},
      {{5000000, 0}, 5009408, true},
      {{0, 0}, 0, true},
      {{0, 3}, 4, false},
      {{0, 3}, 5, true},
  };
  for (const Case& c : cases)
    EXPECT_EQ(c.rule.has_room(c.free), c.has_room)
        << c.rule.minimal_free << ' ' << c.rule.message_size_limit << ' ' << c.free;
}

TEST(QueueDirectory, TellsFreeSpace) {
  const QueueScratch scratch;
  EXPECT_GT(QueueDirectory({.path = scratch.path()}).free_space().value_or(0), 0U);
  EXPECT_FALSE(QueueDirectory({.path = scratch.path() + "/nothing"}).free_space());
}

TEST(QueueDirectory, TakesTheSpaceRuleFromMainCf) {
  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("message_size_limit", "1000");
  settings.override_value("queue_minfree", "5000");
  const Result<SpaceRule> rule = SpaceRule::from(settings);
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->message_size_limit, 1000U);
  EXPECT_EQ(rule->minimal_free, 5000U);
  for (const char* name : {"message_size_limit", "queue_minfree"}) {
    libconf::Settings wrong = settings;
    wrong.override_value(name, "-1");
    EXPECT_FALSE(SpaceRule::from(wrong)) << name;
  }
}

TEST(QueueDirectory, OpensAsMainCfSays) {
  libconf::Settings settings(nullptr, libconf::system_host());
  settings.override_value("queue_directory", "/spool");
  const auto by_default = QueueDirectory::open(settings);
  ASSERT_TRUE(by_default);
  EXPECT_EQ(by_default->path_of(Queue::kDeferred, "ABCDE1"), "/spool/deferred/A/ABCDE1");
  EXPECT_EQ(by_default->path_of(Queue::kIncoming, "ABCDE1"), "/spool/incoming/ABCDE1");
  settings.override_value("hash_queue_names", "incoming");
  settings.override_value("hash_queue_depth", "2");
  const auto hashed = QueueDirectory::open(settings);
  ASSERT_TRUE(hashed);
  EXPECT_EQ(hashed->path_of(Queue::kDeferred, "ABCDE1"), "/spool/deferred/ABCDE1");
  EXPECT_EQ(hashed->path_of(Queue::kIncoming, "ABCDE1"), "/spool/incoming/A/B/ABCDE1");
  settings.override_value("hash_queue_depth", "many");
  EXPECT_FALSE(QueueDirectory::open(settings));
}

}  // namespace
}  // namespace mta
