/// Files of messages that are gone, for new messages: to write over a file is several times as fast as to
/// make a new one and to remove an old one, on file systems that have seen many files.
///
///     auto pool = mta::FilePool::open(queue_directory, find_directories, options);
///     std::optional<mta::PooledFile> file = (*pool)->take();      // nothing: make a new one, and
///     file = (*pool)->adopt(fd);                                  // give it to the pool
///     ...write, and link file->path() into the queue...
///     file->leave();                                              // the message is in the queue
///
/// A file of the pool has a name of its own, in spare/ below the queue directory, beside the one that it has
/// as a message. Whoever removes the message (the queue manager, postsuper(1), rm(1)) removes that other name
/// and knows nothing of the pool. So nobody has to hand files over, and none can be handed over too early:
/// the kernel counts names. Tools do not mind a second name; only Postfix's pickup(8) does, for mail that
/// `postsuper -r` has put into maildrop, and therefore a file that stays in the queue for long leaves the
/// pool.
///
/// A file is written over when all of this holds, in this order:
///
/// 1. It has one name, ours: nobody can open the message any more.
/// 2. Nobody has it open, such as a delivery agent whose message was removed under its hands (fcntl(2),
///    F_SETLEASE: "a write lease may be placed on a file only if there are no other open file descriptors").
/// 3. The directories that have messages were synced after 1: no crash brings the old name back, with half of
///    the next message.
///
/// What is in spare/ means nothing to later processes: a pool starts with nothing, and removes what those
/// left that did not end in order. Each has a directory of its own, on which it keeps a lock.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/queue/disk_sync.h"

namespace mta {

class FilePool;

/// A file that is being written. Movable; not thread-safe. Destroyed before leave(), it is free for others.
class PooledFile {
 public:
  PooledFile(PooledFile&& other) noexcept = default;
  PooledFile& operator=(PooledFile&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(name_, other.name_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~PooledFile();

  /// Gives the descriptor away, which is open for reading and writing; once, and after take() only.
  libconf::FileDescriptor descriptor() { return std::move(fd_); }

  /// Its name in the pool.
  std::string path() const;

  /// The message has its other name now, and so many bytes. A large one leaves the pool, and one for which
  /// there is no room.
  void leave(std::uint64_t size);

 private:
  friend class FilePool;
  PooledFile(std::shared_ptr<FilePool> pool, std::string name, libconf::FileDescriptor fd)
      : pool_(std::move(pool)), name_(std::move(name)), fd_(std::move(fd)) {}

  std::shared_ptr<FilePool> pool_;
  std::string name_;
  libconf::FileDescriptor fd_;
};

struct FilePoolOptions {
  std::size_t limit = 1024;                          ///< Files.
  std::uint64_t largest = std::uint64_t{512} << 10;  ///< In bytes; larger files are not kept.
  std::uint64_t total = std::uint64_t{64} << 20;     ///< In bytes, of all files that nobody writes.
  std::chrono::milliseconds longest_stay{60'000};    ///< In the queue; then a file leaves the pool.
  DiskSync& disk = DiskSync::real();                 ///< Must outlive the pool.
};

/// Thread-safe. A thread of its own looks for files that are free.
class FilePool : public std::enable_shared_from_this<FilePool> {
 public:
  /// Tells all directories that have messages. Called on the pool's thread.
  using Directories = std::function<std::vector<std::string>()>;

  /// Makes the pool's directory. Errors: kInputOutput.
  static libconf::Result<std::shared_ptr<FilePool>> open(const std::string& queue_directory,
                                                         Directories directories,
                                                         const FilePoolOptions& options);
  FilePool(const FilePool&) = delete;
  FilePool& operator=(const FilePool&) = delete;

  /// Removes all names of the pool: messages keep theirs.
  ~FilePool();

  /// A file whose bytes mean nothing any more, with any size. Nothing: there is none at hand. Does not wait.
  std::optional<PooledFile> take();

  /// Takes over a new file, which needs not have a name. Nothing: it is large, there are enough,
  /// or it cannot be.
  std::optional<PooledFile> adopt(int fd);

 private:
  friend class PooledFile;
  using Clock = std::chrono::steady_clock;
  struct File {
    std::string name;
    std::uint64_t size;  ///< In bytes
  };
  /// A message in the queue.
  struct Busy {
    File file;
    Clock::time_point since;
  };

  FilePool(std::string directory, libconf::FileDescriptor lock, Directories directories,
           const FilePoolOptions& options);
  void run();
  void look_for_free_files(std::unique_lock<std::mutex>& lock);
  bool is_free(const std::string& name) const;
  bool sync_directories();
  /// Whether there is room for a file of that size; it is counted then.
  bool makes_room(std::uint64_t size);
  void put_back(std::string name);
  void leave(std::string name, std::uint64_t size);
  /// A file of that size, as far as it was counted.
  void remove(const std::string& name, std::uint64_t size);
  std::string path_of(const std::string& name) const { return directory_ + '/' + name; }

  const std::string directory_;
  const libconf::FileDescriptor lock_;
  const Directories directories_;
  const FilePoolOptions options_;
  std::map<std::string, timespec> synced_;  ///< When a directory had last changed. Of the pool's thread.

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<File> free_;
  std::deque<Busy> busy_;
  std::size_t count_ = 0;    ///< Of all names, those in use included.
  std::uint64_t bytes_ = 0;  ///< Of free_ and busy_.
  Clock::time_point next_look_;
  bool is_wanted_ = false;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace mta
