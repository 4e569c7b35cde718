#include "tools/mta/queue/group_commit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mta {
namespace {

using libconf::Result;

DiskSync& real_disk() {
  static DiskSync disk;
  return disk;
}

}  // namespace

int DiskSync::sync_file(int fd) { return ::fsync(fd) == 0 ? 0 : errno; }
int DiskSync::sync_directory(int fd) { return ::fsync(fd) == 0 ? 0 : errno; }

GroupCommitter::GroupCommitter(int threads) : GroupCommitter(threads, real_disk()) {}

GroupCommitter::GroupCommitter(int threads, DiskSync& disk) : disk_(disk) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

GroupCommitter::~GroupCommitter() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  has_work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void GroupCommitter::commit(QueueFile file, std::string directory, Completion done) {
  {
    const std::lock_guard lock(mutex_);
    written_.push_back({std::move(file), std::move(directory), std::move(done)});
  }
  has_work_.notify_one();
}

/// A thread syncs and names one file after the other. After each it becomes the leader for the file's
/// directory, unless there is one, who will sync for this file, too.
void GroupCommitter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [this] { return is_ending_ || !written_.empty(); });
    if (written_.empty()) return;
    Request request = std::move(written_.front());
    written_.pop_front();
    lock.unlock();
    const Result<void> named = sync_and_name(request);
    if (!named) give_up(std::move(request), named.error());
    lock.lock();
    if (!named) continue;
    const auto directory = directories_.try_emplace(request.directory).first;
    directory->second.named.push_back(std::move(request));
    if (!directory->second.is_syncing) lead(lock, directory);
  }
}

Result<void> GroupCommitter::sync_and_name(Request& request) {
  const int error_number = disk_.sync_file(request.file.fd());
  if (error_number != 0) return queue_error("fsync queue file ", request.file.id(), error_number);
  return request.file.publish(request.directory + request.file.id());
}

/// The file goes before its session learns that.
void GroupCommitter::give_up(Request request, const libconf::Error& error) {
  const Completion done = std::move(request.done);
  { const QueueFile gone = std::move(request.file); }
  done(error);
}

/// Syncs the directory until no name waits for that.
void GroupCommitter::lead(std::unique_lock<std::mutex>& lock, Directories::iterator directory) {
  Directory& leading = directory->second;
  leading.is_syncing = true;
  while (!leading.named.empty()) {
    std::vector<Request> batch = std::exchange(leading.named, {});
    lock.unlock();
    const Result<void> synced = sync_directory(directory->first, leading);
    for (Request& request : batch) {
      if (!synced) ::unlink((request.directory + request.file.id()).c_str());
      request.done(synced);
    }
    batch.clear();
    lock.lock();
  }
  directories_.erase(directory);
}

Result<void> GroupCommitter::sync_directory(const std::string& path, Directory& directory) {
  if (!directory.fd) {
    directory.fd = libconf::FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.fd) return queue_error("open ", path, errno);
  }
  const int error_number = disk_.sync_directory(directory.fd.get());
  if (error_number != 0) return queue_error("fsync ", path, error_number);
  return {};
}

}  // namespace mta
