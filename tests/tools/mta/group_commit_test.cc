#include "tools/mta/queue/group_commit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/tools/mta/queue_scratch.h"

namespace mta {
namespace {

using libconf::ErrorKind;
using libconf::Result;

/// A disk that remembers what a power failure would leave: the files whose bytes were written and whose
/// fsync() has returned since they have a name, and the names that stood in a directory when a sync of it
/// began that has returned. Fails when it is told to.
class ModelDisk : public DiskSync {
 public:
  explicit ModelDisk(const QueueScratch& scratch) : scratch_(scratch) {}

  int write_file(int fd) override {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return errno;
    const std::lock_guard lock(mutex_);
    if (is_failing(failing_writes)) return EIO;
    // Named too early, a crash would leave a name without its bytes.
    if (!name_of(status.st_ino).empty()) ++named_before_written;
    written_inodes_.insert(status.st_ino);
    return 0;
  }

  int sync_file(int fd) override {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return errno;
    const std::lock_guard lock(mutex_);
    ++file_syncs;
    if (file_delay.count() != 0) std::this_thread::sleep_for(file_delay);
    if (is_failing(failing_files)) return EIO;
    // Synced too early, a crash would leave a file without a name.
    if (!name_of(status.st_ino).empty() && written_inodes_.contains(status.st_ino))
      durable_inodes_.insert(status.st_ino);
    return 0;
  }

  int sync_directory(int) override {
    std::set<std::string> names;
    for (const std::string& file : scratch_.files())
      names.insert(std::filesystem::path(file).filename().string());
    if (directory_delay.count() != 0) std::this_thread::sleep_for(directory_delay);
    const std::lock_guard lock(mutex_);
    ++directory_syncs;
    if (is_failing(failing_directories)) return EIO;
    durable_names_.insert(names.begin(), names.end());
    return 0;
  }

  /// Whether a message would be there after a power failure now.
  bool survives(const std::string& id) {
    const auto parts = parse_queue_id(id);
    const std::lock_guard lock(mutex_);
    return parts && durable_inodes_.contains(parts->inode) && durable_names_.contains(id);
  }

  std::chrono::milliseconds directory_delay{0}, file_delay{0};
  std::atomic<int> file_syncs{0}, directory_syncs{0}, named_before_written{0};
  int failing_writes = 0, failing_files = 0, failing_directories = 0;  ///< One of so many fails; 0: none.

 private:
  bool is_failing(int one_of) { return one_of != 0 && ++count_ % one_of == 0; }
  std::string name_of(ino_t inode) const {
    for (const std::string& file : scratch_.files()) {
      const auto parts = parse_queue_id(std::filesystem::path(file).filename().string());
      if (parts && parts->inode == inode) return file;
    }
    return {};
  }

  const QueueScratch& scratch_;
  std::mutex mutex_;
  std::set<ino_t> written_inodes_, durable_inodes_;
  std::set<std::string> durable_names_;
  int count_ = 0;
};

constexpr int kMessages = 60;

class GroupCommitTest : public testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  /// Commits many messages at once, to two directories. Calls `done` for each.
  void commit_all(DiskSync& disk,
                  const std::function<void(const std::string& path, const Result<void>&)>& done) {
    const auto [threads, may_be_unnamed] = GetParam();
    const QueueDirectory queue({.path = scratch_.path(), .may_be_unnamed = may_be_unnamed});
    GroupCommitter committer(threads, disk);
    for (int i = 0; i < kMessages; ++i) {
      const Queue where = i % 3 == 0 ? Queue::kHold : Queue::kIncoming;
      Result<QueueFile> file = queue.create(where, QueueTime(std::chrono::microseconds(i)));
      ASSERT_TRUE(file) << file.error().message;
      ASSERT_TRUE(file->write_at(0, "message " + std::to_string(i)));
      const Result<std::string> directory = queue.directory_of(where, file->id());
      ASSERT_TRUE(directory);
      const std::string path = *directory + file->id();
      committer.commit(std::move(*file), *directory, [=](const Result<void>& result) { done(path, result); });
    }
  }

  QueueScratch scratch_;
};

INSTANTIATE_TEST_SUITE_P(, GroupCommitTest, testing::Combine(testing::Values(1, 4, 16), testing::Bool()),
                         [](const auto& test) {
                           return std::to_string(std::get<0>(test.param)) + "Threads" +
                                  (std::get<1>(test.param) ? "Unnamed" : "Named");
                         });

TEST_P(GroupCommitTest, AcknowledgesWhatSurvives) {
  ModelDisk disk(scratch_);
  std::atomic<int> acknowledged{0}, lost{0};
  commit_all(disk, [&](const std::string& path, const Result<void>& result) {
    EXPECT_TRUE(result) << result.error().message;
    ++acknowledged;
    if (!disk.survives(std::filesystem::path(path).filename().string())) ++lost;
  });
  EXPECT_EQ(acknowledged, kMessages);
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(disk.named_before_written, 0);
  EXPECT_EQ(disk.file_syncs, kMessages);
  EXPECT_EQ(scratch_.files().size(), std::size_t{kMessages});
}

TEST_P(GroupCommitTest, SharesTheSyncOfADirectory) {
  ModelDisk disk(scratch_);
  disk.directory_delay = std::chrono::milliseconds(20);
  commit_all(disk, [](const std::string&, const Result<void>&) {});
  if (std::get<0>(GetParam()) > 2) {
    EXPECT_LT(disk.directory_syncs, kMessages / 2);
  }
}

TEST_P(GroupCommitTest, TellsEachWhoseDataIsInDoubt) {
  for (const auto failing :
       {&ModelDisk::failing_writes, &ModelDisk::failing_files, &ModelDisk::failing_directories}) {
    ModelDisk disk(scratch_);
    disk.*failing = 5;
    std::mutex mutex;
    std::set<std::string> acknowledged;
    int failed = 0;
    commit_all(disk, [&](const std::string& path, const Result<void>& result) {
      const std::lock_guard lock(mutex);
      if (result) {
        EXPECT_TRUE(disk.survives(std::filesystem::path(path).filename().string())) << path;
        acknowledged.insert(path.substr(scratch_.path().size() + 1));
        return;
      }
      ++failed;
      EXPECT_EQ(result.error().kind, ErrorKind::kInputOutput);
      EXPECT_NE(result.error().message.find("Input/output error"), std::string::npos)
          << result.error().message;
      EXPECT_FALSE(std::filesystem::exists(path)) << path;
    });
    EXPECT_EQ(acknowledged.size() + static_cast<std::size_t>(failed), std::size_t{kMessages});
    const std::vector<std::string> left = scratch_.files();
    EXPECT_EQ(std::set(left.begin(), left.end()), acknowledged) << "nothing else is left";
    for (const std::string& file : left) std::filesystem::remove(scratch_.path() + '/' + file);
  }
}

TEST_P(GroupCommitTest, CommitsHereBesideOthers) {
  ModelDisk disk(scratch_);
  disk.failing_files = 7;
  disk.failing_directories = 5;
  const auto [threads, may_be_unnamed] = GetParam();
  const QueueDirectory queue({.path = scratch_.path(), .may_be_unnamed = may_be_unnamed});
  GroupCommitter committer(threads, disk);
  std::atomic<int> done{0}, lost{0};
  const auto commit_some = [&](int first) {
    for (int i = first; i < first + kMessages; ++i) {
      const Queue where = i % 3 == 0 ? Queue::kHold : Queue::kIncoming;
      Result<QueueFile> file = queue.create(where, QueueTime(std::chrono::microseconds(i)));
      ASSERT_TRUE(file && file->write_at(0, "message"));
      const std::string id = file->id();
      const std::string directory = *queue.directory_of(where, id);
      const auto check = [&, id, path = directory + id](const Result<void>& result) {
        ++done;
        if (result ? !disk.survives(id) : std::filesystem::exists(path)) ++lost;
      };
      if (i % 2 == 0) {
        check(committer.commit_here(std::move(*file), directory));
      } else {
        committer.commit(std::move(*file), directory, check);
      }
    }
  };
  std::thread beside([&] { commit_some(kMessages); });
  commit_some(0);
  beside.join();
  while (done < 2 * kMessages) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(lost, 0);
}

TEST_P(GroupCommitTest, ASlowDiskIsWaitedForElsewhere) {
  ModelDisk disk(scratch_);
  const QueueDirectory queue({.path = scratch_.path(), .may_be_unnamed = std::get<1>(GetParam())});
  GroupCommitter committer(std::get<0>(GetParam()), disk);
  EXPECT_FALSE(committer.is_better_here(false)) << "nothing is known yet";
  disk.file_delay = std::chrono::milliseconds(5);
  Result<QueueFile> file = queue.create(Queue::kIncoming, QueueTime());
  ASSERT_TRUE(file);
  EXPECT_TRUE(committer.commit_here(std::move(*file), scratch_.path() + "/incoming/"));
  EXPECT_FALSE(committer.is_better_here(true));
  EXPECT_FALSE(committer.is_better_here(false));
}

TEST_P(GroupCommitTest, AMissingDirectoryIsAnError) {
  ModelDisk disk(scratch_);
  const QueueDirectory queue({.path = scratch_.path(), .may_be_unnamed = std::get<1>(GetParam())});
  int called = 0;
  {
    GroupCommitter committer(std::get<0>(GetParam()), disk);
    Result<QueueFile> file = queue.create(Queue::kIncoming, QueueTime());
    ASSERT_TRUE(file);
    committer.commit(std::move(*file), scratch_.path() + "/nonesuch/", [&](const Result<void>& result) {
      ++called;
      EXPECT_FALSE(result);
      EXPECT_TRUE(scratch_.files().empty());
    });
  }
  EXPECT_EQ(called, 1);
}

TEST(GroupCommit, UsesTheRealDisk) {
  const QueueScratch scratch;
  const QueueDirectory queue({.path = scratch.path()});
  int called = 0;
  {
    GroupCommitter committer(2);
    Result<QueueFile> file = queue.create(Queue::kIncoming, QueueTime());
    ASSERT_TRUE(file);
    committer.commit(std::move(*file), scratch.path() + "/incoming/", [&](const Result<void>& result) {
      ++called;
      EXPECT_TRUE(result) << result.error().message;
    });
  }
  EXPECT_EQ(called, 1);
  EXPECT_EQ(scratch.files().size(), 1U);
}

}  // namespace
}  // namespace mta
