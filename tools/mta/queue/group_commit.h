/// Puts finished messages safely on the disk, many at a time.
///
///     mta::GroupCommitter committer(8);
///     committer.commit(std::move(file), directory, [&](libconf::Result<void> done) {
///       post_to_event_loop(...);   // 250 if done, 451 if not
///     });
///
/// The promise: when `done` has no error, a crash or power failure no longer loses the message, as far as the
/// disk keeps its own promises. These steps lead there, each after the one before has returned 0:
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
/// check after a crash removes. Where there is a journal, the first fsync() makes it commit all that was done
/// until then, and the others find nothing left to do. Because of 1, a name does not lead to half a message
/// after a crash either, where the file system keeps the order of what it did, or writes names when told
/// only. Postfix's own cleanup(8) names the file first and does one fsync(): enough on ext4 and XFS with
/// their journals (the kernel's Documentation/filesystems/ext4/journal.rst), but it leaves files that are
/// complete by their mode and lack their last blocks after a crash. On tmpfs all of that does nothing and
/// nothing survives.
///
/// What is shared: a directory is synced once for all names that were given before (a leader syncs for its
/// followers, as databases do it). Files are synced by several threads side by side, each with its share of
/// what waits: on file systems with a journal one commit makes all of them durable, and concurrent fsync()
/// calls share the flush of the disk's cache.
///
/// tests/bench/queue_bench.py measures that beside other ways.
///
/// After a failed fsync() the kernel may have dropped the data and call the pages clean, so a second fsync()
/// can return 0 without them: nothing is tried again, the message is given up, and each session whose name
/// was in the failed sync of a directory gets its error.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
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
  /// Called once for each commit(), on a thread of the committer, which waits meanwhile: it should only pass
  /// the news on. It must not throw, and not destroy the committer. Errors: as queue_error().
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

 private:
  struct Request {
    QueueFile file;
    std::string directory;
    Completion done;
  };
  /// A directory, and the files whose names in it wait for a sync.
  struct Directory {
    libconf::FileDescriptor fd;
    std::vector<Request> named;
    bool is_syncing = false;
  };
  using Directories = std::map<std::string, Directory>;

  void run();
  std::vector<Request> take_share();
  void name_and_sync_all(std::vector<Request>& share);
  libconf::Result<void> write_and_name(Request& request);
  libconf::Result<void> sync(Request& request);
  static void give_up(Request request, const libconf::Error& error);
  void lead_all(std::unique_lock<std::mutex>& lock);
  void lead(std::unique_lock<std::mutex>& lock, Directories::iterator directory);
  libconf::Result<void> sync_directory(const std::string& path, Directory& directory);

  DiskSync& disk_;
  const std::size_t thread_count_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Request> written_;  ///< To be named and synced.
  Directories directories_;      ///< Those with names to be synced, or being synced.
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mta
