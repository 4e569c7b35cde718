// Ways to put messages on the disk, measured: what queue_bench.py runs.
//
//   queue_ways WAY DIRECTORY MESSAGES SESSIONS BYTES THREADS
//
// Each session writes a message, waits until it is safe, and goes on with the next; a message is removed when
// BACKLOG younger ones are there, as if it had been delivered. Prints messages per second, and microseconds
// of CPU a message.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/mta/queue/group_commit.h"

namespace {

using libconf::FileDescriptor;

constexpr std::size_t kBacklog = 200;

void must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::_Exit(1);
}

mta::QueueTime now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// One way. Thread-safe.
class Way {
 public:
  virtual ~Way() = default;
  /// Returns when the message is safe: its path.
  virtual std::string put(const std::string& text) = 0;
  virtual void remove(const std::string& path) { must(::unlink(path.c_str()) == 0, "unlink"); }
};

struct Place {
  std::string directory;  ///< With a slash at its end.
  int threads;
};

FileDescriptor open_directory(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  must(static_cast<bool>(fd), "open directory");
  return fd;
}

/// The system calls of Postfix's cleanup(8): the name first, one fsync().
class PostfixWay : public Way {
 public:
  explicit PostfixWay(const Place& place) : top_(place.directory + "incoming/") {}
  std::string put(const std::string& text) override {
    const std::string temporary = top_ + std::to_string(count_++) + ".tmp";
    const FileDescriptor fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    must(static_cast<bool>(fd), "open");
    struct stat status {};
    must(::fstat(fd.get(), &status) == 0, "fstat");
    const std::string path = top_ + mta::make_queue_id(mta::QueueIdForm::kShort, now(), status.st_ino);
    must(::rename(temporary.c_str(), path.c_str()) == 0, "rename");
    must(::pwrite(fd.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "write");
    must(::fchmod(fd.get(), 0700) == 0 && ::fsync(fd.get()) == 0, "fsync");
    return path;
  }

 private:
  const std::string top_;
  std::atomic<long> count_{0};
};

/// Our files, each session by itself.
class OneByOneWay : public Way {
 public:
  explicit OneByOneWay(const Place& place)
      : queue_({.path = place.directory}), directory_(open_directory(place.directory + "incoming")) {}
  std::string put(const std::string& text) override {
    auto file = queue_.create(mta::Queue::kIncoming, now());
    must(file && file->write_at(0, text), "create");
    std::string path = queue_.path_of(mta::Queue::kIncoming, file->id());
    must(::fsync(file->fd()) == 0 && file->publish(path) && ::fsync(directory_.get()) == 0, "fsync");
    return path;
  }

 private:
  const mta::QueueDirectory queue_;
  const FileDescriptor directory_;
};

/// All messages share the syncs.
class GroupWay : public Way {
 public:
  explicit GroupWay(const Place& place) : queue_({.path = place.directory}), committer_(place.threads) {}
  std::string put(const std::string& text) override {
    auto file = queue_.create(mta::Queue::kIncoming, now());
    must(file && file->write_at(0, text), "create");
    std::string path = queue_.path_of(mta::Queue::kIncoming, file->id());
    const auto directory = queue_.directory_of(mta::Queue::kIncoming, file->id());
    std::mutex mutex;
    std::condition_variable changed;
    bool is_done = false;
    committer_.commit(std::move(*file), *directory, [&](const libconf::Result<void>& result) {
      must(result.has_value(), "commit");
      const std::lock_guard lock(mutex);
      is_done = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_done; });
    return path;
  }

 protected:
  mta::QueueDirectory queue_;
  mta::GroupCommitter committer_;
};

/// What Postkit does: and files are used again.
class KeptWay : public GroupWay {
 public:
  explicit KeptWay(const Place& place) : GroupWay(place) {
    must(queue_.keep_files().has_value(), "keep files");
  }
};

/// Files that are used again, in the safest way that needs no more than fsync(2) says. A delivered message is
/// renamed into spare/, and not written to before both directories are synced: else a crash could bring its
/// old name back, with half of the next message. A spare file is written and synced before it gets its new
/// name: else the name could come with the old message. Both directories are synced once for many.
class RecycledWay : public Way {
 public:
  explicit RecycledWay(const Place& place)
      : top_(place.directory),
        incoming_(open_directory(top_ + "incoming")),
        spare_(open_directory(top_ + "spare")) {
    for (std::size_t i = 0; i < kBacklog; ++i) {
      spares_.push_back(top_ + "spare/first" + std::to_string(i));
      const FileDescriptor fd(::open(spares_.back().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
      must(fd && ::fsync(fd.get()) == 0, "make spare file");
    }
  }

  std::string put(const std::string& text) override {
    std::string spare = take_spare();
    const FileDescriptor fd(::open(spare.c_str(), O_RDWR | O_CLOEXEC));
    must(static_cast<bool>(fd), "open spare file");
    struct stat status {};
    must(::fstat(fd.get(), &status) == 0, "fstat");
    must(::pwrite(fd.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "write");
    must(::ftruncate(fd.get(), static_cast<off_t>(text.size())) == 0 && ::fdatasync(fd.get()) == 0,
         "fdatasync");
    std::string path =
        top_ + "incoming/" + mta::make_queue_id(mta::QueueIdForm::kShort, now(), status.st_ino);
    must(::rename(spare.c_str(), path.c_str()) == 0, "rename");
    sync_both();
    return path;
  }

  void remove(const std::string& path) override {
    const std::string spare = top_ + "spare/" + path.substr(path.rfind('/') + 1);
    must(::rename(path.c_str(), spare.c_str()) == 0, "rename to spare");
    // Nobody waits for that: the next sync of the directories makes it usable.
    const std::lock_guard lock(mutex_);
    renamed_.push_back(spare);
  }

 private:
  std::string take_spare() {
    std::unique_lock lock(mutex_);
    while (spares_.empty()) {
      lock.unlock();
      sync_both();
      lock.lock();
    }
    std::string spare = std::move(spares_.front());
    spares_.pop_front();
    return spare;
  }

  /// Returns when both directories have been synced by a sync that began after the call.
  void sync_both() {
    std::unique_lock lock(mutex_);
    const long wanted = started_ + 1;
    while (finished_ < wanted) {
      if (is_syncing_) {
        changed_.wait(lock);
        continue;
      }
      is_syncing_ = true;
      const long mine = ++started_;
      std::deque<std::string> usable = std::exchange(renamed_, {});
      lock.unlock();
      must(::fsync(incoming_.get()) == 0 && ::fsync(spare_.get()) == 0, "fsync directories");
      lock.lock();
      for (std::string& spare : usable) spares_.push_back(std::move(spare));
      finished_ = mine;
      is_syncing_ = false;
      changed_.notify_all();
    }
  }

  const std::string top_;
  const FileDescriptor incoming_, spare_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> spares_, renamed_;
  long started_ = 0, finished_ = 0;
  bool is_syncing_ = false;
};

template <class T>
std::unique_ptr<Way> make(const Place& place) {
  return std::make_unique<T>(place);
}

struct NamedWay {
  std::string_view name;
  std::unique_ptr<Way> (*make)(const Place& place);
};
constexpr NamedWay kWays[] = {{"postfix", make<PostfixWay>},
                              {"one-by-one", make<OneByOneWay>},
                              {"group", make<GroupWay>},
                              {"kept", make<KeptWay>},
                              {"recycled", make<RecycledWay>}};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void run_sessions(Way& way, int messages, int sessions, const std::string& text) {
  std::atomic<int> left{messages};
  std::mutex mutex;
  std::deque<std::string> backlog;
  std::vector<std::thread> threads;
  for (int i = 0; i < sessions; ++i)
    threads.emplace_back([&] {
      while (left-- > 0) {
        std::string path = way.put(text);
        std::unique_lock lock(mutex);
        backlog.push_back(std::move(path));
        if (backlog.size() <= kBacklog / 2) continue;
        const std::string oldest = std::move(backlog.front());
        backlog.pop_front();
        lock.unlock();
        way.remove(oldest);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  must(argc == 7, "usage: see the source");
  const Place place{.directory = std::string(argv[2]) + '/', .threads = std::atoi(argv[6])};
  const int messages = std::atoi(argv[3]);
  for (const char* name : {"incoming", "spare"}) ::mkdir((place.directory + name).c_str(), 0700);
  for (const NamedWay& named : kWays) {
    if (named.name != argv[1]) continue;
    const std::unique_ptr<Way> way = named.make(place);
    const std::string text(static_cast<std::size_t>(std::atoi(argv[5])), 'x');
    const auto start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    run_sessions(*way, messages, std::atoi(argv[4]), text);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    std::printf("%.0f %.1f\n", messages / wall.count(), (cpu_seconds() - cpu) * 1e6 / messages);
    return 0;
  }
  return 1;
}
