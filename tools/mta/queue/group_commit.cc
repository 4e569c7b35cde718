#include "tools/mta/queue/group_commit.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace mta {
using libconf::Result;

GroupCommitter::GroupCommitter(int threads, DiskSync& disk)
    : disk_(disk), thread_count_(static_cast<std::size_t>(threads)) {
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

void GroupCommitter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [this] { return is_ending_ || !written_.empty(); });
    if (written_.empty()) return;
    std::vector<Request> share = take_share();
    lock.unlock();
    name_and_sync_all(share);
    lock.lock();
    for (Request& request : share) directories_[request.directory].named.push_back(std::move(request));
    lead_all(lock);
  }
}

std::vector<GroupCommitter::Request> GroupCommitter::take_share() {
  const auto end =
      written_.begin() + static_cast<std::ptrdiff_t>((written_.size() + thread_count_ - 1) / thread_count_);
  std::vector<Request> share(std::make_move_iterator(written_.begin()), std::make_move_iterator(end));
  written_.erase(written_.begin(), end);
  return share;
}

/// Leaves those that have a name now, and are safe but for that.
void GroupCommitter::name_and_sync_all(std::vector<Request>& share) {
  if (share.size() > 1)
    for (const Request& request : share) disk_.start_file(request.file.fd());
  // One step for all, and then the next: the first fsync() can make a journal commit that has all of them.
  for (const auto step : {&GroupCommitter::write_and_name, &GroupCommitter::sync}) {
    std::vector<Request> done;
    for (Request& request : share) {
      const Result<void> result = (this->*step)(request);
      if (result) {
        done.push_back(std::move(request));
      } else {
        give_up(std::move(request), result.error());
      }
    }
    share = std::move(done);
  }
}

Result<void> GroupCommitter::write_and_name(Request& request) {
  const int error_number = disk_.write_file(request.file.fd());
  if (error_number != 0) return queue_error("write queue file ", request.file.id(), error_number);
  return request.file.publish(request.directory + request.file.id());
}

Result<void> GroupCommitter::sync(Request& request) {
  const int error_number = disk_.sync_file(request.file.fd());
  if (error_number == 0) return {};
  ::unlink((request.directory + request.file.id()).c_str());
  return queue_error("fsync queue file ", request.file.id(), error_number);
}

/// The file goes before its session learns that.
void GroupCommitter::give_up(Request request, const libconf::Error& error) {
  const Completion done = std::move(request.done);
  { const QueueFile gone = std::move(request.file); }
  done(error);
}

/// Becomes the leader for each directory that has none.
void GroupCommitter::lead_all(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    const auto directory = std::find_if(directories_.begin(), directories_.end(),
                                        [](const auto& entry) { return !entry.second.is_syncing; });
    if (directory == directories_.end()) return;
    lead(lock, directory);
  }
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
