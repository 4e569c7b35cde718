#include "tools/postlock/mailbox_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <thread>
#include <utility>

#include "libconf/text.h"

namespace postlock {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

struct Style {
  std::string_view name;
  bool LockRules::*flag;
};
constexpr std::array kStyles = {Style{"flock", &LockRules::uses_flock},
                                Style{"fcntl", &LockRules::uses_fcntl},
                                Style{"dotlock", &LockRules::uses_dotlock}};

Error failed(const std::string& path, std::string_view what) {
  return {.kind = ErrorKind::kTemporary,
          .message = concat("open file ", path, ": ", what, ": ", std::strerror(errno))};
}

/// Whether somebody else has it.
bool is_busy() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EACCES || errno == EEXIST; }

/// Until it works, or fails for another reason than that somebody else is at it.
template <class Attempt>
bool try_again(const LockRules& rules, Attempt attempt) {
  for (int left = rules.attempts;;) {
    if (attempt()) return true;
    if (!is_busy() || --left == 0) return false;
    const int reason = errno;
    std::this_thread::sleep_for(rules.delay);
    errno = reason;
  }
}

bool lock_with_fcntl(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(fd, F_SETLK, &lock) == 0;
}

}  // namespace

Result<LockRules> LockRules::read(const libconf::Settings& settings,
                                  const std::optional<std::string>& style) {
  constexpr const char* kParameter = "mailbox_delivery_lock";
  const Result<std::string> words = style ? Result<std::string>(*style) : settings.get(kParameter);
  if (!words) return words.error();
  LockRules rules;
  std::string_view rest = *words;
  while (const auto word = libconf::next_word(rest, libconf::kListSeparators)) {
    const auto* const known = std::find_if(kStyles.begin(), kStyles.end(), [&word](const Style& each) {
      return libconf::equals_ignoring_case(each.name, *word);
    });
    if (known == kStyles.end())
      return Error{.kind = ErrorKind::kConfiguration,
                   .message = concat("unknown ", kParameter, " value \"", *word, "\" in \"", *words, "\"")};
    rules.*known->flag = true;
  }
  const Result<std::int64_t> attempts = settings.get_int("deliver_lock_attempts");
  if (!attempts) return attempts.error();
  rules.attempts = static_cast<int>(*attempts);
  for (const auto& [parameter, time] :
       {std::pair<const char*, std::chrono::seconds&>{"deliver_lock_delay", rules.delay},
        {"stale_lock_time", rules.stale_time}}) {
    const Result<std::chrono::seconds> value = settings.get_duration(parameter);
    if (!value) return value.error();
    time = *value;
  }
  return rules;
}

MailboxLock::MailboxLock(MailboxLock&& other) noexcept
    : file_(std::move(other.file_)), lock_file_(std::exchange(other.lock_file_, {})) {}

MailboxLock::~MailboxLock() {
  if (!lock_file_.empty()) ::unlink(lock_file_.c_str());
}

Result<void> MailboxLock::make_lock_file(const std::string& path, const LockRules& rules) {
  const std::string name = path + ".lock";
  const bool is_made = try_again(rules, [&] {
    const FileDescriptor made(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
    if (made) return true;
    const int reason = errno;
    struct stat status {};
    if (reason == EEXIST && ::stat(name.c_str(), &status) == 0 &&
        ::time(nullptr) > status.st_ctime + rules.stale_time.count())
      ::unlink(name.c_str());
    errno = reason;
    return false;
  });
  if (!is_made) return failed(path, concat("unable to create lock file ", name));
  lock_file_ = name;
  return {};
}

Result<void> MailboxLock::lock_file(const std::string& path, const LockRules& rules) const {
  const int fd = file_.get();
  const bool is_locked =
      (!rules.uses_flock || try_again(rules, [fd] { return ::flock(fd, LOCK_EX | LOCK_NB) == 0; })) &&
      (!rules.uses_fcntl || try_again(rules, [fd] { return lock_with_fcntl(fd); }));
  if (!is_locked) return failed(path, "unable to lock for exclusive access");
  return {};
}

Result<MailboxLock> MailboxLock::take(const std::string& path, const LockRules& rules) {
  MailboxLock lock;
  struct stat status {};
  // What is no file has no lock file beside it either.
  const bool is_file = ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
  if (rules.uses_dotlock && is_file) {
    if (Result<void> made = lock.make_lock_file(path, rules); !made) return made.error();
  }
  constexpr mode_t kMode = 0600;
  // The command does not inherit it.
  lock.file_ =
      FileDescriptor(::open(path.c_str(), O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK | O_CLOEXEC, kMode));
  if (!lock.file_) return failed(path, "cannot open file");
  if (!is_file) return lock;
  if (Result<void> locked = lock.lock_file(path, rules); !locked) return locked.error();
  return lock;
}

}  // namespace postlock
