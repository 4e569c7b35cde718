/// The queue on the disk: one directory for each stage of a message's life, one file for each message.
///
///     auto queue = mta::QueueDirectory::open(settings);
///     auto file = queue->create(mta::Queue::kIncoming, now);          // has an ID, but no name yet
///     log(file->id());
///     mta::QueueFileWriter writer(*file, options); ...                // writer.finish()
///     committer.commit(std::move(*file), mta::Queue::kIncoming, done); // named when it is safe on the disk
///
/// A message is complete before it has a name: a file gets its name, in one step, when all of it is on the
/// disk. So what a crash cuts off is never seen by the queue manager, and mostly leaves nothing behind: where
/// the system can (Linux, open(2): O_TMPFILE), the file has no name at all until then. Elsewhere it has one
/// that is no queue ID. Postfix tells complete files by the execute bit of their owner; they have that, too.
/// With keep_files(), files of messages that are gone are used again (file_pool.h).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/handle.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/queue/file_pool.h"
#include "tools/mta/queue/queue_file_writer.h"
#include "tools/mta/queue/queue_id.h"

namespace mta {

/// The directories that have files of messages.
enum class Queue { kMaildrop, kIncoming, kActive, kDeferred, kHold, kCorrupt };

/// "incoming" and so on: the name of the directory, and in hash_queue_names.
std::string_view queue_name(Queue queue);

/// Those of all, in the order of Queue.
std::vector<std::string> all_queue_names();

/// An error of the operating system: kTemporary for what passes (a full disk, no descriptors left, no
/// memory), else kInputOutput. "WHAT FILE: REASON".
libconf::Error queue_error(std::string_view what, const std::string& file, int error_number);

/// A message's file while it is written. Movable; not thread-safe. Destroyed without publish(), it is gone.
class QueueFile : public QueueOutput {
 public:
  QueueFile(QueueFile&& other) noexcept;
  QueueFile& operator=(QueueFile&& other) noexcept;
  ~QueueFile() override;

  const std::string& id() const { return id_; }
  int fd() const { return fd_.get(); }

  /// QueueOutput. Errors: as queue_error().
  libconf::Result<void> write_at(std::uint64_t offset, std::string_view bytes) override;

  /// Gives the file its name, `path`; in the same file system. REQUIRES: what is in the file is on the disk;
  /// it has no name yet. Errors: as queue_error(); kTemporary when there is such a file.
  libconf::Result<void> publish(const std::string& path);

 private:
  friend class QueueDirectory;
  QueueFile() = default;

  std::shared_ptr<FilePool> pool_;    ///< For files without a name, which it can take over.
  std::optional<PooledFile> pooled_;  ///< Of a file that is in the pool already.
  libconf::FileDescriptor fd_;
  std::uint64_t size_ = 0;     ///< In bytes, with what is left of another message.
  std::uint64_t written_ = 0;  ///< In bytes
  std::string temporary_;      ///< Its name until it is published; empty when it has none.
  std::string id_;
};

/// How much room there must be in the file system of the queue for smtpd(8) to take mail (postconf(5),
/// queue_minfree). The size that a client declares does not count.
struct SpaceRule {
  std::uint64_t minimal_free = 0;        ///< queue_minfree, in bytes.
  std::uint64_t message_size_limit = 0;  ///< The parameter of that name, in bytes; 0: none.

  /// As main.cf says. Errors: kConfiguration.
  static libconf::Result<SpaceRule> from(const libconf::Settings& settings);

  /// Whether mail may come when there are `free` bytes.
  bool has_room(std::uint64_t free) const;
};

/// What of main.cf bears on the queue directory.
struct QueueDirectoryOptions {
  std::string path;  ///< queue_directory
  std::vector<std::string> hash_queue_names = {};
  int hash_queue_depth = 1;
  QueueIdForm id_form = QueueIdForm::kShort;  ///< enable_long_queue_ids
  bool may_be_unnamed = true;  ///< Off: files have a name of their own kind while they are written.
};

/// Thread-safe.
class QueueDirectory {
 public:
  explicit QueueDirectory(QueueDirectoryOptions options) : options_(std::move(options)) {}

  /// As main.cf says. Errors: kConfiguration. Whether the directory exists is not looked at.
  static libconf::Result<QueueDirectory> open(const libconf::Settings& settings);

  /// The same for a process whose working directory is queue_directory: paths start with "./".
  static libconf::Result<QueueDirectory> open_here(const libconf::Settings& settings);

  /// The directory of a queue, with a slash at its end.
  std::string top_of(Queue queue) const;

  /// Where a message stands in a queue: "/var/spool/postfix/deferred/A/ABC123". REQUIRES: is_queue_id(id).
  std::string path_of(Queue queue, std::string_view id) const;

  /// The same for a directory of another name below queue_directory: "defer", where bounce(8) keeps what it
  /// has to say of each message.
  std::string log_path_of(std::string_view directory, std::string_view id) const;

  /// Levels of directories below the one of that name, as hash_queue_names and hash_queue_depth have it.
  int depth_of(std::string_view directory) const;

  /// queue_directory
  const std::string& path() const { return options_.path; }

  /// Makes the directory that log_path_of() is in, where hashing needs it. Errors: as queue_error().
  libconf::Result<void> make_directory_of(std::string_view directory, std::string_view id) const;

  /// enable_long_queue_ids
  QueueIdForm id_form() const { return options_.id_form; }

  /// The directory that path_of() is in, which is made where hashing needs it. Errors: as queue_error().
  libconf::Result<std::string> directory_of(Queue queue, std::string_view id) const;

  /// From now on, files that create() makes are used again when their messages are gone. One process after
  /// the other or at a time may do that, as the owner of the queue. Errors: as FilePool::open().
  libconf::Result<void> keep_files(const FilePoolOptions& options = {});

  /// A new file, which will be in that queue or another one in the same file system. Its ID tells `now`.
  /// Errors: as queue_error(); nothing is left behind then.
  libconf::Result<QueueFile> create(Queue queue, QueueTime now) const;

  /// Moves a message; an existing file is not replaced. Not synced: after a crash the message is in one of
  /// the two. Errors: as queue_error().
  libconf::Result<void> move(std::string_view id, Queue from, Queue to) const;

  /// Removes a message. Not synced: after a crash it may be there again. Errors: as queue_error().
  libconf::Result<void> remove(Queue queue, std::string_view id) const;

  /// Removes what crashes left of files that were being written, by us or by Postfix, when they have not been
  /// written to since `older_than`. Returns how many. Errors: as queue_error(), for the directory; a file
  /// that cannot be removed is left to the next sweep.
  libconf::Result<std::size_t> sweep(Queue queue, std::chrono::sys_seconds older_than) const;

  /// Bytes that are free in its file system for who is not root. Errors: as queue_error().
  libconf::Result<std::uint64_t> free_space() const;

 private:
  int depth_of(Queue queue) const { return depth_of(queue_name(queue)); }
  std::vector<std::string> directories() const;
  libconf::Result<QueueFile> open_file(Queue queue, QueueTime now) const;
  std::size_t sweep_directory(const std::string& directory, int depth,
                              std::chrono::sys_seconds older_than) const;

  QueueDirectoryOptions options_;
  std::shared_ptr<FilePool> pool_;
};

}  // namespace mta
