#include "tools/mta/delivery/mailbox_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <random>
#include <thread>
#include <utility>

#include "libconf/handle.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

struct LockName {
  std::string_view name;
  MailboxLock lock;
};

// postconf -l
constexpr std::array kLockNames = {
    LockName{"dotlock", kLockDotFile},
    LockName{"fcntl", kLockFcntl},
    LockName{"flock", kLockFlock},
};

bool is_locked(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EACCES; }

/// Between two attempts: `delay` give or take a quarter, so that those who wait for each other do not go on
/// meeting.
std::chrono::milliseconds some_delay(std::chrono::milliseconds delay) {
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::chrono::milliseconds::rep> pick(delay.count() * 3 / 4,
                                                                     delay.count() * 5 / 4);
  return std::chrono::milliseconds(pick(random));
}

/// Calls `attempt(is_last)`, which returns 0 or an errno, until it succeeds, fails in another way than
/// `is_busy` says, or has been called often enough. Returns its last value.
template <class Attempt, class IsBusy>
int try_often(const LockRules& rules, const Attempt& attempt, const IsBusy& is_busy) {
  for (std::uint32_t count = 1;; ++count) {
    const bool is_last = count >= rules.attempts;
    const int error = attempt(is_last);
    if (error == 0 || !is_busy(error) || is_last) return error;
    std::this_thread::sleep_for(some_delay(std::chrono::seconds(rules.delay)));
  }
}

int lock_with_flock(int file) { return ::flock(file, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }

int lock_with_fcntl(int file) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return ::fcntl(file, F_SETLK, &range) == 0 ? 0 : errno;
}

bool is_stale(const std::string& name, std::uint32_t stale_time) {
  struct stat status {};
  return ::stat(name.c_str(), &status) == 0 &&
         ::time(nullptr) > status.st_ctime + static_cast<time_t>(stale_time);
}

/// Makes way for the next attempt, if there is one, when who made the file is gone.
int make_lock_file(const std::string& name, std::uint32_t stale_time, bool is_last) {
  const libconf::FileDescriptor made(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
  const int error = made ? 0 : errno;
  if (error != EEXIST || is_last || !is_stale(name, stale_time)) return error;
  return ::unlink(name.c_str()) == 0 || errno == ENOENT ? EEXIST : errno;
}

}  // namespace

void LockRules::read(SettingsReader& reader, std::string_view parameter,
                     const std::optional<std::string>& methods_given) {
  std::string words;
  if (methods_given)
    words = *methods_given;
  else
    reader.text(parameter, words);
  std::string_view rest = words;
  while (const auto word = libconf::next_word(rest, libconf::kListSeparators)) {
    const auto* const known = std::find_if(kLockNames.begin(), kLockNames.end(),
                                           [&](const LockName& each) { return each.name == *word; });
    if (known != kLockNames.end())
      methods |= known->lock;
    else
      reader.fail(libconf::configuration_error(
          concat("unknown ", parameter, " value \"", *word, "\" in \"", words, "\"")));
  }
  reader.count("deliver_lock_attempts", attempts);
  reader.seconds("deliver_lock_delay", delay);
  reader.seconds("stale_lock_time", stale_time);
}

DotLock::DotLock(DotLock&& other) noexcept : name_(std::exchange(other.name_, {})) {}

DotLock::~DotLock() {
  if (!name_.empty()) ::unlink(name_.c_str());
}

int DotLock::take(const std::string& path, const LockRules& rules) {
  std::string name = path + ".lock";
  const int error = try_often(
      rules, [&](bool is_last) { return make_lock_file(name, rules.stale_time, is_last); },
      [](int each) { return each == EEXIST; });
  if (error == 0) name_ = std::move(name);
  return error;
}

int lock_file(int file, const LockRules& rules) {
  int error = 0;
  if ((rules.methods & kLockFlock) != 0)
    error = try_often(
        rules, [file](bool) { return lock_with_flock(file); }, is_locked);
  if (error == 0 && (rules.methods & kLockFcntl) != 0)
    error = try_often(
        rules, [file](bool) { return lock_with_fcntl(file); }, is_locked);
  return error;
}

}  // namespace mta
