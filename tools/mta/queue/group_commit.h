/// Puts finished messages safely on the disk, many at a time.
///
///     mta::GroupCommitter committer(8);
///     committer.commit(std::move(file), directory, [&](libconf::Result<void> done) {
///       post_to_event_loop(...);   // 250 if done, 451 if not
///     });
///
/// The promise: when `done` has no error, a crash or power failure no longer loses the message, as far as the
/// disk keeps its own promises. These steps lead there, each after the one before has returned 0, but for 3
/// and 4, which only have to come after 2 and go on side by side:
///
/// 1. The file's bytes are written out (DiskSync::write_file). It has no name that anybody looks for.
/// 2. The name, by linkat() or renameat2(): one step.
/// 3. fsync() of the file: its bytes, size, owner and mode, and that it has a name, are on the disk.
/// 4. fsync() of the directory, begun after the name was given: the name is on the disk, too.
///
/// 3 and 4 are all that the promise takes, by what fsync(2) says on any file system: fsync() of a file "does
/// not necessarily ensure that the entry in the directory containing the file has also reached disk", for
/// that there is fsync() of the directory. The file comes after its name because the number of its names is
/// its own: synced before, it would be a file without a name on a file system without a journal, which a
/// check after a crash removes. Where there is a journal, both wait for the same commit of it; one after the
/// other, the second would find nothing left to do and still have the disk flush its cache. Because of 1, a
/// name does not lead to half a message after a crash either, where the file system keeps the order of what
/// it did, or writes names when told only. Postfix's own cleanup(8) names the file first and does one
/// fsync(): enough on ext4 and XFS with their journals (the kernel's
/// Documentation/filesystems/ext4/journal.rst), but it leaves files that are complete by their mode and lack
/// their last blocks after a crash. On tmpfs all of that does nothing and nothing survives.
///
/// What is shared: a directory is synced once for all names that were given before, by whichever thread is
/// free. Files are synced by several threads side by side, each with its share of what waits: on file systems
/// with a journal one commit makes all of them durable, and concurrent fsync() calls share the flush of the
/// disk's cache.
///
/// Who has nobody else to serve does the work itself (commit_here()): to hand it over and to hear of its end
/// takes as long as a quick disk. Where all of that takes next to no time, as on tmpfs, everybody does so.
///
/// tests/bench/queue_bench.py measures that beside other ways.
///
/// After a failed fsync() the kernel may have dropped the data and call the pages clean, so a second fsync()
/// can return 0 without them: nothing is tried again, the message is given up, and each session whose name
/// was in the failed sync of a directory gets its error.
#pragma once

#include <chrono>
#include <condition_variable>
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
#include "tools/mta/queue/queue_directory.h"

namespace mta {

/// Thread-safe. The destructor waits until all that was handed over is done.
class GroupCommitter {
 public:
  /// Called once for each commit(), on a thread of the committer or one that is in commit_here(), which waits
  /// meanwhile: it should only pass the news on. It must not throw, and not destroy the committer. Errors: as
  /// queue_error().
  using Completion = std::function<void(libconf::Result<void>)>;

  /// `threads`: at least 1. So many files are synced side by side. `disk` must live longer.
  explicit GroupCommitter(int threads, DiskSync& disk = DiskSync::real());
  GroupCommitter(const GroupCommitter&) = delete;
  GroupCommitter& operator=(const GroupCommitter&) = delete;
  ~GroupCommitter();

  /// Makes `file`, which is all written, a message in `directory` (QueueDirectory::directory_of()), and
  /// closes it. Returns at once. When `done` gets an error, the file is gone, unless the queue manager was
  /// faster.
  void commit(QueueFile file, std::string directory, Completion done);

  /// The same in this thread, which waits until it is done. Errors: as queue_error().
  libconf::Result<void> commit_here(QueueFile file, std::string directory);

  /// Whether commit_here() is the better way, as it went the last time: it takes less than to hand the work
  /// over, or so little that nobody minds when there are no `others` who wait meanwhile.
  bool is_better_here(bool others) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Request {
    QueueFile file;
    std::string directory;
    Completion done;
    int missing = 2;  ///< Of the two syncs.
    std::optional<libconf::Error> failure = {};
  };
  /// Shared by who syncs the file and who syncs the directory; the last of them ends it.
  using SharedRequest = std::shared_ptr<Request>;
  using Requests = std::vector<SharedRequest>;

  /// A directory, and the files whose names in it wait for a sync.
  struct Directory {
    libconf::FileDescriptor fd;
    Requests named;
    bool is_syncing = false;
  };
  using Directories = std::map<std::string, Directory>;

  void run();
  bool sync_names(std::unique_lock<std::mutex>& lock);
  Requests take_share();
  void name_and_sync(std::unique_lock<std::mutex>& lock, const Requests& share);
  libconf::Result<void> write_and_name(Request& request);
  libconf::Result<void> sync(Request& request);
  libconf::Result<void> sync_directory(const std::string& path, Directory& directory);
  void note(const SharedRequest& request, const libconf::Result<void>& synced);
  static void end(Request& request);

  DiskSync& disk_;
  const std::size_t thread_count_;
  mutable std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<SharedRequest> written_;                  ///< To be named and synced.
  Directories directories_;                            ///< Those with names to be synced, or being synced.
  Clock::duration duration_ = Clock::duration::max();  ///< Of the work for one message, the last time.
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mta
