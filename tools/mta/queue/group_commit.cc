#include "tools/mta/queue/group_commit.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace mta {
namespace {

using libconf::Result;

/// About what it takes to wake another thread, and to be woken by it.
constexpr std::chrono::microseconds kHandOver{50};

/// A new client can wait so long.
constexpr std::chrono::milliseconds kShort{2};

}  // namespace

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
  auto request = std::make_shared<Request>(
      Request{.file = std::move(file), .directory = std::move(directory), .done = std::move(done)});
  {
    const std::lock_guard lock(mutex_);
    written_.push_back(std::move(request));
  }
  has_work_.notify_one();
}

Result<void> GroupCommitter::commit_here(QueueFile file, std::string directory) {
  std::optional<Result<void>> result;
  std::condition_variable has_result;
  const auto request = std::make_shared<Request>(
      Request{.file = std::move(file), .directory = std::move(directory), .done = [&](Result<void> done) {
                const std::lock_guard lock(mutex_);
                result = std::move(done);
                has_result.notify_one();
              }});
  std::unique_lock lock(mutex_);
  name_and_sync(lock, {request});
  while (sync_names(lock)) continue;
  has_result.wait(lock, [&] { return result.has_value(); });
  return *result;
}

bool GroupCommitter::is_better_here(bool others) const {
  const std::lock_guard lock(mutex_);
  return duration_ < (others ? Clock::duration(kHandOver) : Clock::duration(kShort));
}

void GroupCommitter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // There are sessions that wait for nothing else.
    if (sync_names(lock)) continue;
    if (!written_.empty()) {
      name_and_sync(lock, take_share());
    } else if (is_ending_) {
      return;
    } else {
      has_work_.wait(lock);
    }
  }
}

GroupCommitter::Requests GroupCommitter::take_share() {
  const auto end =
      written_.begin() + static_cast<std::ptrdiff_t>((written_.size() + thread_count_ - 1) / thread_count_);
  Requests share(std::make_move_iterator(written_.begin()), std::make_move_iterator(end));
  written_.erase(written_.begin(), end);
  return share;
}

void GroupCommitter::name_and_sync(std::unique_lock<std::mutex>& lock, const Requests& share) {
  const bool is_quick = duration_ < kHandOver;
  lock.unlock();
  const Clock::time_point start = Clock::now();
  if (share.size() > 1)
    for (const SharedRequest& request : share) disk_.start_file(request->file.fd());
  // One step for all, and then the next: the first fsync() can make a journal commit that has all of them.
  Requests named;
  for (const SharedRequest& request : share) {
    if (const Result<void> result = write_and_name(*request); result) {
      named.push_back(request);
    } else {
      request->failure = result.error();
      end(*request);
    }
  }
  lock.lock();
  for (const SharedRequest& request : named) directories_[request->directory].named.push_back(request);
  lock.unlock();
  if (!is_quick) has_work_.notify_one();
  for (const SharedRequest& request : named) note(request, sync(*request));
  const Clock::duration duration = Clock::now() - start;
  lock.lock();
  duration_ = duration / share.size();
}

Result<void> GroupCommitter::write_and_name(Request& request) {
  const int error_number = disk_.write_file(request.file.fd());
  if (error_number != 0) return queue_error("write queue file ", request.file.id(), error_number);
  return request.file.publish(request.directory + request.file.id());
}

Result<void> GroupCommitter::sync(Request& request) {
  const int error_number = disk_.sync_file(request.file.fd());
  if (error_number != 0) return queue_error("fsync queue file ", request.file.id(), error_number);
  return {};
}

/// Syncs a directory that nobody syncs, until no name waits for that. False: there is none.
bool GroupCommitter::sync_names(std::unique_lock<std::mutex>& lock) {
  const auto directory = std::find_if(directories_.begin(), directories_.end(),
                                      [](const auto& entry) { return !entry.second.is_syncing; });
  if (directory == directories_.end()) return false;
  Directory& names = directory->second;
  names.is_syncing = true;
  while (!names.named.empty()) {
    const Requests batch = std::exchange(names.named, {});
    lock.unlock();
    const Result<void> synced = sync_directory(directory->first, names);
    for (const SharedRequest& request : batch) note(request, synced);
    lock.lock();
  }
  directories_.erase(directory);
  return true;
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

/// One of the two syncs is over.
void GroupCommitter::note(const SharedRequest& request, const Result<void>& synced) {
  {
    const std::lock_guard lock(mutex_);
    if (!synced) request->failure = synced.error();
    if (--request->missing > 0) return;
  }
  if (request->failure) ::unlink((request->directory + request->file.id()).c_str());
  end(*request);
}

/// The file is closed, or gone, before its session learns of it.
void GroupCommitter::end(Request& request) {
  { const QueueFile closed = std::move(request.file); }
  if (request.failure) {
    request.done(*request.failure);
  } else {
    request.done({});
  }
}

}  // namespace mta
