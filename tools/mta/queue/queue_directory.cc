#include "tools/mta/queue/queue_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "libconf/file.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

struct QueueInfo {
  Queue queue;
  std::string_view name;
  mode_t mode;  ///< Of its files when they are complete.
};

constexpr std::array kQueues = {
    QueueInfo{Queue::kMaildrop, "maildrop", 0744}, QueueInfo{Queue::kIncoming, "incoming", 0700},
    QueueInfo{Queue::kActive, "active", 0700},     QueueInfo{Queue::kDeferred, "deferred", 0700},
    QueueInfo{Queue::kHold, "hold", 0700},         QueueInfo{Queue::kCorrupt, "corrupt", 0700},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kQueues.size(); ++i)
    if (static_cast<std::size_t>(kQueues[i].queue) != i) return false;
  return true;
}
static_assert(is_in_order());

const QueueInfo& info_of(Queue queue) { return kQueues[static_cast<std::size_t>(queue)]; }

constexpr std::array kPassing = {ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, EEXIST};

/// What open() says where files cannot be without a name.
bool is_unnamed_unsupported(int error_number) {
  return error_number == EOPNOTSUPP || error_number == EISDIR || error_number == ENOENT ||
         error_number == EINVAL;
}

/// The link by which a file without a name can be given one (open(2), O_TMPFILE).
std::string proc_link(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Result<void> sync_directory(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return queue_error("open ", path, errno);
  if (::fsync(fd.get()) != 0) return queue_error("fsync ", path, errno);
  return {};
}

/// Renames without replacing, where the file system can do that.
int rename_to_new(const std::string& from, const std::string& to) {
  const int status = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  return status != 0 && (errno == EINVAL || errno == ENOSYS) ? ::rename(from.c_str(), to.c_str()) : status;
}

}  // namespace

std::string_view queue_name(Queue queue) { return info_of(queue).name; }

std::vector<std::string> all_queue_names() {
  std::vector<std::string> names;
  for (const QueueInfo& info : kQueues) names.emplace_back(info.name);
  return names;
}

Error queue_error(std::string_view what, const std::string& file, int error_number) {
  Error error = libconf::io_error(what, file, error_number);
  if (std::find(kPassing.begin(), kPassing.end(), error_number) != kPassing.end())
    error.kind = ErrorKind::kTemporary;
  return error;
}

QueueFile::QueueFile(QueueFile&& other) noexcept
    : pool_(std::move(other.pool_)),
      pooled_(std::exchange(other.pooled_, {})),
      fd_(std::move(other.fd_)),
      size_(other.size_),
      written_(other.written_),
      temporary_(std::exchange(other.temporary_, {})),
      id_(std::move(other.id_)) {}

QueueFile& QueueFile::operator=(QueueFile&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(pooled_, other.pooled_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(written_, other.written_);
  std::swap(temporary_, other.temporary_);
  std::swap(id_, other.id_);
  return *this;
}

QueueFile::~QueueFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> QueueFile::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return queue_error("write queue file ", id_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
    written_ = std::max(written_, offset);
  }
  return {};
}

Result<void> QueueFile::publish(const std::string& path) {
  if (size_ > written_ && ::ftruncate(fd_.get(), static_cast<off_t>(written_)) != 0)
    return queue_error("truncate queue file ", id_, errno);
  if (!pooled_ && pool_ && temporary_.empty()) pooled_ = pool_->adopt(fd_.get());
  const std::string from = pooled_ ? pooled_->path() : proc_link(fd_.get());
  const int status = temporary_.empty()
                         ? ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW)
                         : rename_to_new(temporary_, path);
  if (status != 0) return queue_error("create ", path, errno);
  temporary_.clear();
  if (pooled_) pooled_->leave(written_);
  pooled_.reset();
  return {};
}

Result<SpaceRule> SpaceRule::from(const libconf::Settings& settings) {
  const auto minimal_free = settings.get_int("queue_minfree");
  if (!minimal_free) return minimal_free.error();
  const auto message_size_limit = settings.get_int("message_size_limit");
  if (!message_size_limit) return message_size_limit.error();
  return SpaceRule{.minimal_free = static_cast<std::uint64_t>(*minimal_free),
                   .message_size_limit = static_cast<std::uint64_t>(*message_size_limit)};
}

bool SpaceRule::has_room(std::uint64_t free) const {
  // One and a half times the limit, rounded up.
  const bool fits_message =
      free >= message_size_limit && free - message_size_limit >= (message_size_limit + 1) / 2;
  return fits_message && free >= minimal_free;
}

Result<QueueDirectory> QueueDirectory::open(const libconf::Settings& settings) {
  const auto path = settings.get("queue_directory");
  if (!path) return path.error();
  const auto names = settings.get_list("hash_queue_names");
  if (!names) return names.error();
  const auto depth = settings.get_int("hash_queue_depth");
  if (!depth) return depth.error();
  const auto has_long_ids = settings.get_bool("enable_long_queue_ids");
  if (!has_long_ids) return has_long_ids.error();
  return QueueDirectory({.path = *path,
                         .hash_queue_names = *names,
                         .hash_queue_depth = static_cast<int>(*depth),
                         .id_form = *has_long_ids ? QueueIdForm::kLong : QueueIdForm::kShort});
}

Result<QueueDirectory> QueueDirectory::open_here(const libconf::Settings& settings) {
  Result<QueueDirectory> queue = open(settings);
  if (queue) queue->options_.path.assign(1, '.');
  return queue;
}

int QueueDirectory::depth_of(std::string_view directory) const {
  const auto& names = options_.hash_queue_names;
  return std::find(names.begin(), names.end(), directory) == names.end() ? 0 : options_.hash_queue_depth;
}

std::string QueueDirectory::top_of(Queue queue) const {
  return options_.path + '/' + std::string(queue_name(queue)) + '/';
}

std::string QueueDirectory::path_of(Queue queue, std::string_view id) const {
  return top_of(queue) + queue_subdirectory(id, depth_of(queue)) + std::string(id);
}

std::string QueueDirectory::log_path_of(std::string_view directory, std::string_view id) const {
  return libconf::concat(options_.path, "/", directory, "/", queue_subdirectory(id, depth_of(directory)), id);
}

Result<void> QueueDirectory::make_directory_of(std::string_view directory, std::string_view id) const {
  std::string path = libconf::concat(options_.path, "/", directory, "/");
  const std::string subdirectory = queue_subdirectory(id, depth_of(directory));
  if (subdirectory.empty() || ::access((path + subdirectory).c_str(), F_OK) == 0) return {};
  // One level after the other, each with its character and slash; the name of a new one is made safe at once.
  for (std::size_t at = 0; at < subdirectory.size(); at += 2) {
    const std::string parent = path;
    path += subdirectory.substr(at, 2);
    if (::mkdir(path.c_str(), 0700) == 0) {
      if (Result<void> synced = sync_directory(parent); !synced) return synced;
    } else if (errno != EEXIST) {
      return queue_error("mkdir ", path, errno);
    }
  }
  return {};
}

Result<std::string> QueueDirectory::directory_of(Queue queue, std::string_view id) const {
  if (Result<void> made = make_directory_of(queue_name(queue), id); !made) return made.error();
  return top_of(queue) + queue_subdirectory(id, depth_of(queue));
}

Result<void> QueueDirectory::keep_files(const FilePoolOptions& options) {
  auto directories = [queue = *this] { return queue.directories(); };
  Result<std::shared_ptr<FilePool>> pool = FilePool::open(options_.path, std::move(directories), options);
  if (!pool) return pool.error();
  pool_ = std::move(*pool);
  return {};
}

std::vector<std::string> QueueDirectory::directories() const {
  std::vector<std::string> found;
  for (const QueueInfo& info : kQueues) {
    found.push_back(top_of(info.queue));
    if (depth_of(info.queue) == 0) continue;
    std::error_code ignored;
    for (std::filesystem::recursive_directory_iterator entry(found.back(), ignored), end; entry != end;
         entry.increment(ignored))
      if (entry->is_directory(ignored)) found.push_back(entry->path());
  }
  return found;
}

Result<QueueFile> QueueDirectory::open_file(Queue queue, QueueTime now) const {
  QueueFile file;
  // What users submit belongs to them.
  if (pool_ && queue != Queue::kMaildrop) {
    file.pool_ = pool_;
    file.pooled_ = pool_->take();
    if (file.pooled_) {
      file.fd_ = file.pooled_->descriptor();
      return file;
    }
  }
  const std::string top = top_of(queue);
  if (options_.may_be_unnamed) {
    file.fd_ = FileDescriptor(::open(top.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
    if (!file.fd_ && !is_unnamed_unsupported(errno)) return queue_error("create file in ", top, errno);
    // Without /proc it could not get a name.
    static const bool has_proc = ::access("/proc/self/fd", X_OK) == 0;
    if (file.fd_ && has_proc) return file;
  }
  // No queue ID has a dot.
  static std::atomic<std::uint64_t> count{0};
  std::string temporary = top + std::to_string(::getpid()) + '.' +
                          std::to_string(now.time_since_epoch().count()) + '.' + std::to_string(count++);
  file.fd_ = FileDescriptor(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.fd_) return queue_error("create ", temporary, errno);
  file.temporary_ = std::move(temporary);
  return file;
}

Result<QueueFile> QueueDirectory::create(Queue queue, QueueTime now) const {
  Result<QueueFile> file = open_file(queue, now);
  if (!file) return file;
  const auto failed = [&](std::string_view what) { return queue_error(what, top_of(queue), errno); };
  struct stat status {};
  if (::fstat(file->fd(), &status) != 0) return failed("fstat file in ");
  file->size_ = static_cast<std::uint64_t>(status.st_size);
  // It is not seen as a message before it has its name, so this can be done now.
  const mode_t mode = info_of(queue).mode;
  if ((status.st_mode & 07777) != mode && ::fchmod(file->fd(), mode) != 0) return failed("chmod file in ");
  file->id_ = make_queue_id(options_.id_form, now, status.st_ino);
  return file;
}

Result<void> QueueDirectory::move(std::string_view id, Queue from, Queue to) const {
  const Result<std::string> directory = directory_of(to, id);
  if (!directory) return directory.error();
  const std::string source = path_of(from, id);
  if (rename_to_new(source, *directory + std::string(id)) != 0) return queue_error("rename ", source, errno);
  return {};
}

Result<void> QueueDirectory::remove(Queue queue, std::string_view id) const {
  const std::string path = path_of(queue, id);
  if (::unlink(path.c_str()) != 0) return queue_error("remove ", path, errno);
  return {};
}

Result<std::size_t> QueueDirectory::sweep(Queue queue, std::chrono::sys_seconds older_than) const {
  const std::string top = top_of(queue);
  if (::access(top.c_str(), R_OK | X_OK) != 0) return queue_error("open ", top, errno);
  return sweep_directory(top, depth_of(queue), older_than);
}

std::size_t QueueDirectory::sweep_directory(const std::string& directory, int depth,
                                            std::chrono::sys_seconds older_than) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) return 0;
  std::size_t removed = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    const std::string path = directory + name;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISDIR(status.st_mode) && depth > 0 && is_queue_id(name)) {
      removed += sweep_directory(path + '/', depth - 1, older_than);
    } else if (S_ISREG(status.st_mode) && status.st_mtime < older_than.time_since_epoch().count()) {
      const bool is_complete = is_queue_id(name) && (status.st_mode & S_IXUSR) != 0;
      if (!is_complete && ::unlink(path.c_str()) == 0) ++removed;
    }
  }
  return removed;
}

Result<std::uint64_t> QueueDirectory::free_space() const {
  struct statvfs status {};
  if (::statvfs(options_.path.c_str(), &status) != 0) return queue_error("statvfs ", options_.path, errno);
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace mta
