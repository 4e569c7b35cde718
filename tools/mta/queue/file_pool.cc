#include "tools/mta/queue/file_pool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

#include "libconf/file.h"

namespace mta {
namespace {

using libconf::FileDescriptor;
using libconf::Result;

/// Between two looks at the files. Each syncs directories, for which those have to wait who sync a message.
constexpr std::chrono::milliseconds kPause{100};

/// A directory that changes twice within a tick of the file system's clock can look the same.
constexpr std::int64_t kTick = 50'000'000;  // nanoseconds

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

bool is_same(const timespec& a, const timespec& b) { return nanoseconds(a) == nanoseconds(b); }

/// A directory and a lock on it, or nothing: it belongs to somebody.
FileDescriptor lock_directory(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  const bool is_ours = fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(fd.get(), &status) == 0 &&
                       status.st_nlink != 0;
  return is_ours ? std::move(fd) : FileDescriptor();
}

void remove_what_is_left(const std::string& top) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(top, ignored))
    if (const FileDescriptor lock = lock_directory(entry.path()); lock)
      std::filesystem::remove_all(entry.path(), ignored);
}

}  // namespace

PooledFile::~PooledFile() {
  if (pool_ && !name_.empty()) pool_->put_back(std::move(name_));
}

std::string PooledFile::path() const { return pool_->path_of(name_); }

void PooledFile::leave(std::uint64_t size) { pool_->leave(std::exchange(name_, {}), size); }

Result<std::shared_ptr<FilePool>> FilePool::open(const std::string& queue_directory, Directories directories,
                                                 const FilePoolOptions& options) {
  const std::string top = queue_directory + "/spare";
  if (::mkdir(top.c_str(), 0700) != 0 && errno != EEXIST) return libconf::io_error("mkdir ", top, errno);
  remove_what_is_left(top);
  // Another process may take a new directory for one that was left.
  for (int number = 0; number < 100; ++number) {
    std::string directory = top + '/' + std::to_string(::getpid()) + '.' + std::to_string(number);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
      return libconf::io_error("mkdir ", directory, errno);
    FileDescriptor lock = lock_directory(directory);
    if (!lock) continue;
    return std::shared_ptr<FilePool>(
        new FilePool(std::move(directory), std::move(lock), std::move(directories), options));
  }
  return libconf::io_error("lock directory in ", top, EWOULDBLOCK);
}

FilePool::FilePool(std::string directory, FileDescriptor lock, Directories directories,
                   const FilePoolOptions& options)
    : directory_(std::move(directory)),
      lock_(std::move(lock)),
      directories_(std::move(directories)),
      options_(options),
      thread_([this] { run(); }) {}

FilePool::~FilePool() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::optional<PooledFile> FilePool::take() {
  std::unique_lock lock(mutex_);
  if (free_.size() <= options_.limit / 8 && !busy_.empty() && !is_wanted_ && Clock::now() >= next_look_) {
    is_wanted_ = true;
    changed_.notify_one();
  }
  if (free_.empty()) return std::nullopt;
  std::string name = std::move(free_.back().name);
  bytes_ -= free_.back().size;
  free_.pop_back();
  lock.unlock();
  FileDescriptor fd(::open(path_of(name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (fd && ::fstat(fd.get(), &status) == 0 && status.st_nlink == 1)
    return PooledFile(shared_from_this(), std::move(name), std::move(fd));
  remove(name, 0);
  return std::nullopt;
}

std::optional<PooledFile> FilePool::adopt(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) > options_.largest)
    return std::nullopt;
  std::string name = std::to_string(status.st_ino);
  {
    const std::lock_guard lock(mutex_);
    if (count_ >= options_.limit) return std::nullopt;
    ++count_;
  }
  const std::string from = "/proc/self/fd/" + std::to_string(fd);
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path_of(name).c_str(), AT_SYMLINK_FOLLOW) == 0)
    return PooledFile(shared_from_this(), std::move(name), {});
  const std::lock_guard lock(mutex_);
  --count_;
  return std::nullopt;
}

bool FilePool::makes_room(std::uint64_t size) {
  if (size > options_.largest || size > options_.total - bytes_) return false;
  bytes_ += size;
  return true;
}

void FilePool::put_back(std::string name) {
  struct stat status {};
  const bool is_there = ::stat(path_of(name).c_str(), &status) == 0;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::unique_lock lock(mutex_);
  if (is_there && makes_room(size)) {
    free_.push_back({std::move(name), size});
    return;
  }
  lock.unlock();
  remove(name, 0);
}

void FilePool::leave(std::string name, std::uint64_t size) {
  std::unique_lock lock(mutex_);
  if (makes_room(size)) {
    busy_.push_back({{std::move(name), size}, Clock::now()});
    return;
  }
  lock.unlock();
  remove(name, 0);
}

void FilePool::remove(const std::string& name, std::uint64_t size) {
  ::unlink(path_of(name).c_str());
  const std::lock_guard lock(mutex_);
  --count_;
  bytes_ -= size;
}

void FilePool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_ending_ || is_wanted_; });
    if (is_ending_) return;
    look_for_free_files(lock);
    is_wanted_ = false;
  }
}

void FilePool::look_for_free_files(std::unique_lock<std::mutex>& lock) {
  std::deque<Busy> seen = std::exchange(busy_, {});
  lock.unlock();
  const Clock::time_point now = Clock::now();
  std::vector<File> found;
  std::deque<Busy> still;
  for (Busy& message : seen) {
    if (is_free(message.file.name)) {
      found.push_back(std::move(message.file));
    } else if (now - message.since > options_.longest_stay) {
      remove(message.file.name, message.file.size);
    } else {
      still.push_back(std::move(message));
    }
  }
  // What cannot be synced is not known to be gone.
  if (!found.empty() && !sync_directories()) {
    for (const File& file : found) remove(file.name, file.size);
    found.clear();
  }
  lock.lock();
  next_look_ = Clock::now() + kPause;
  free_.insert(free_.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  still.insert(still.end(), std::make_move_iterator(busy_.begin()), std::make_move_iterator(busy_.end()));
  busy_ = std::move(still);
}

bool FilePool::is_free(const std::string& name) const {
  struct stat status {};
  if (::stat(path_of(name).c_str(), &status) != 0 || status.st_nlink != 1) return false;
  const FileDescriptor fd(::open(path_of(name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  // Who opens the file in spite of all between the two leases makes the kernel send a signal: SIGURG does not
  // end the process as SIGIO would.
  return fd && ::fcntl(fd.get(), F_SETSIG, SIGURG) == 0 && ::fcntl(fd.get(), F_SETLEASE, F_WRLCK) == 0 &&
         ::fcntl(fd.get(), F_SETLEASE, F_UNLCK) == 0;
}

/// Those that have changed since they were synced last.
bool FilePool::sync_directories() {
  for (const std::string& path : directories_()) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Where there is no directory, there are no messages.
    if (!fd && errno == ENOENT) continue;
    struct stat status {};
    timespec now{};
    if (!fd || ::fstat(fd.get(), &status) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return false;
    const auto before = synced_.find(path);
    if (before != synced_.end() && is_same(before->second, status.st_mtim)) continue;
    if (options_.disk.sync_directory(fd.get()) != 0) return false;
    if (nanoseconds(now) - nanoseconds(status.st_mtim) > kTick) {
      synced_[path] = status.st_mtim;
    } else {
      synced_.erase(path);
    }
  }
  return true;
}

}  // namespace mta
