#include "tools/mta/queue/file_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "tests/tools/mta/queue_scratch.h"
#include "tools/mta/queue/queue_directory.h"

namespace mta {
namespace {

using libconf::FileDescriptor;
using libconf::Result;
using namespace std::chrono_literals;

bool wait_for(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

class SyncCounter : public DiskSync {
 public:
  int sync_directory(int) override {
    ++syncs;
    return is_failing ? EIO : 0;
  }
  std::atomic<int> syncs{0};
  std::atomic<bool> is_failing{false};
};

class FilePoolTest : public testing::Test {
 protected:
  struct Message {
    std::string id;
    ino_t inode;
  };

  void SetUp() override { ASSERT_TRUE(queue_.keep_files(options_)); }

  Result<QueueFile> create() { return queue_.create(Queue::kIncoming, QueueTime(++time_)); }

  /// Puts a message into the queue.
  Message put(const std::string& text) {
    Result<QueueFile> file = create();
    EXPECT_TRUE(file && file->write_at(0, text));
    const std::string path = queue_.path_of(Queue::kIncoming, file->id());
    const Result<void> published = file->publish(path);
    EXPECT_TRUE(published) << published.error().message;
    EXPECT_EQ(content(file->id()), text);
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    EXPECT_EQ(parse_queue_id(file->id())->inode, status.st_ino);
    return {file->id(), status.st_ino};
  }

  void remove(const Message& message) { EXPECT_TRUE(queue_.remove(Queue::kIncoming, message.id)); }

  /// Whether a message gets this file within a short time. Messages that get others stay in the queue.
  bool is_used_again(ino_t inode) {
    return wait_for([&] { return put("again").inode == inode; });
  }

  bool is_not_used_again(ino_t inode) {
    for (int i = 0; i < 30; ++i) {
      if (put("another").inode == inode) return false;
      std::this_thread::sleep_for(5ms);
    }
    return true;
  }

  std::string content(const std::string& id) const {
    std::ifstream file(queue_.path_of(Queue::kIncoming, id));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::size_t spare_files() const {
    std::size_t count = 0;
    for (const std::string& file : scratch_.files())
      if (file.starts_with("spare/")) ++count;
    return count;
  }

  QueueScratch scratch_;
  SyncCounter disk_;
  FilePoolOptions options_{.limit = 100, .largest = 1000, .disk = disk_};
  QueueDirectory queue_{QueueDirectoryOptions{.path = scratch_.path()}};
  std::chrono::microseconds time_{0};
};

TEST_F(FilePoolTest, WritesOverTheFileOfAMessageThatIsGone) {
  const Message first = put("a message that is longer than the next");
  EXPECT_EQ(spare_files(), 1U);
  remove(first);
  EXPECT_TRUE(is_used_again(first.inode));
  EXPECT_GT(disk_.syncs, 0);
}

TEST_F(FilePoolTest, WhereverTheMessageWent) {
  for (const Queue queue : {Queue::kActive, Queue::kDeferred, Queue::kHold, Queue::kCorrupt}) {
    const Message message = put("a message");
    ASSERT_TRUE(queue_.move(message.id, Queue::kIncoming, queue));
    ASSERT_TRUE(queue_.remove(queue, message.id));
    EXPECT_TRUE(is_used_again(message.inode)) << queue_name(queue);
  }
}

TEST_F(FilePoolTest, AMessageKeepsItsFile) {
  const Message moved = put("a message");
  const Message gone = put("another");
  ASSERT_TRUE(queue_.move(moved.id, Queue::kIncoming, Queue::kActive));
  remove(gone);
  EXPECT_TRUE(is_used_again(gone.inode));
  EXPECT_TRUE(is_not_used_again(moved.inode));
}

TEST_F(FilePoolTest, WhoReadsAMessageThatIsRemovedReadsThatMessage) {
  const Message message = put("a message");
  FileDescriptor reader(::open(queue_.path_of(Queue::kIncoming, message.id).c_str(), O_RDONLY | O_CLOEXEC));
  remove(message);
  EXPECT_TRUE(is_not_used_again(message.inode));
  std::array<char, 20> bytes{};
  EXPECT_EQ(::pread(reader.get(), bytes.data(), bytes.size(), 0), 9);
  EXPECT_EQ(std::string(bytes.data(), 9), "a message");
  reader = {};
  EXPECT_TRUE(is_used_again(message.inode));
}

TEST_F(FilePoolTest, NotBeforeTheDirectoriesAreSynced) {
  const auto opened = FilePool::open(
      scratch_.path(), [&] { return std::vector{scratch_.path() + "/incoming"}; }, options_);
  ASSERT_TRUE(opened);
  FilePool& pool = **opened;
  const std::string message = scratch_.path() + "/incoming/ABC";
  for (const bool is_failing : {true, false}) {
    disk_.syncs = 0;
    disk_.is_failing = is_failing;
    scratch_.write("incoming/ABC", "a message", 0700);
    {
      const FileDescriptor fd(::open(message.c_str(), O_RDWR | O_CLOEXEC));
      std::optional<PooledFile> file = pool.adopt(fd.get());
      ASSERT_TRUE(file);
      file->leave(9);
    }
    ::unlink(message.c_str());
    const auto is_taken = [&] { return pool.take().has_value(); };
    if (is_failing) {
      EXPECT_FALSE(is_taken());
      EXPECT_TRUE(wait_for([&] { return disk_.syncs > 0; }));
      EXPECT_TRUE(wait_for([&] { return spare_files() == 0; }));
      EXPECT_FALSE(is_taken());
    } else {
      EXPECT_TRUE(wait_for(is_taken));
      EXPECT_GT(disk_.syncs, 0);
    }
  }
}

TEST_F(FilePoolTest, AFileThatWasGivenUpIsFreeAtOnce) {
  const Message gone = put("a message");
  remove(gone);
  std::string id;
  const auto starts_in_used_file = [&] {
    Result<QueueFile> file = create();
    EXPECT_TRUE(file && file->write_at(0, "half of one"));
    id = file->id();
    return spare_files() == 1 && parse_queue_id(id)->inode == gone.inode;
  };
  ASSERT_TRUE(wait_for(starts_in_used_file));
  EXPECT_EQ(content(id), "") << "it has no name";
  EXPECT_EQ(put("the next").inode, parse_queue_id(id)->inode);
}

TEST_F(FilePoolTest, KeepsSmallFilesOnly) {
  const Message large = put(std::string(1001, 'x'));
  EXPECT_EQ(spare_files(), 0U);
  const Message small = put("small");
  remove(small);
  Message grown{};
  ASSERT_TRUE(wait_for([&] { return (grown = put(std::string(1001, 'y'))).inode == small.inode; }));
  EXPECT_EQ(spare_files(), 0U);
}

TEST_F(FilePoolTest, KeepsNoMoreThanTheLimit) {
  for (int i = 0; i < 120; ++i) put("a message");
  EXPECT_EQ(spare_files(), 100U);
}

TEST_F(FilePoolTest, KeepsNoMoreBytesThanTheLimit) {
  options_.total = 1500;
  ASSERT_TRUE(queue_.keep_files(options_));
  const Message first = put(std::string(1000, 'x'));
  put(std::string(600, 'y'));
  EXPECT_EQ(spare_files(), 1U);
  put(std::string(500, 'z'));
  EXPECT_EQ(spare_files(), 2U);
  remove(first);
  ASSERT_TRUE(wait_for([&] { return put(std::string(100, 'a')).inode == first.inode; }));
  put(std::string(900, 'b'));
  EXPECT_EQ(spare_files(), 3U) << "the file that is small now counts as such";
}

TEST_F(FilePoolTest, WhatStaysInTheQueueLeavesThePool) {
  options_.longest_stay = 0ms;
  ASSERT_TRUE(queue_.keep_files(options_));
  const Message message = put("a message");
  struct stat status {};
  EXPECT_TRUE(wait_for([&] {
    put("another");
    const std::string path = queue_.path_of(Queue::kIncoming, message.id);
    return ::stat(path.c_str(), &status) == 0 && status.st_nlink == 1;
  }));
  EXPECT_EQ(content(message.id), "a message");
}

TEST_F(FilePoolTest, RemovesWhatProcessesLeftThatDidNotEndInOrder) {
  scratch_.write("spare/123.0/4711", "left", 0700);
  const Message message = put("a message");
  QueueDirectory other({.path = scratch_.path()});
  ASSERT_TRUE(other.keep_files(options_));
  EXPECT_EQ(spare_files(), 1U) << "not those of who is there";
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() + "/spare/123.0"));
  queue_ = QueueDirectory({.path = scratch_.path()});
  EXPECT_EQ(spare_files(), 0U);
  EXPECT_EQ(content(message.id), "a message");
}

}  // namespace
}  // namespace mta
