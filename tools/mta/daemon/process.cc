#include "tools/mta/daemon/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "libconf/handle.h"
#include "libconf/text.h"

namespace mta {
namespace {

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t set;
    ::sigfillset(&set);
    ::posix_spawnattr_setsigdefault(&attributes_, &set);
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes_, &set);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

libconf::Error failed(const std::string& program, int reason) {
  return {.kind = libconf::ErrorKind::kInputOutput,
          .message = libconf::concat("cannot run ", program, ": ", std::strerror(reason))};
}

}  // namespace

libconf::Result<pid_t> start_process(const std::string& program, std::vector<std::string> arguments,
                                     std::span<const int> descriptors) {
  // First out of the way: what is to become 3 must not be overwritten by what becomes 3 before.
  const int beyond = kFirstInherited + static_cast<int>(descriptors.size());
  std::vector<libconf::FileDescriptor> copies;
  FileActions actions;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    copies.emplace_back(::fcntl(descriptors[i], F_DUPFD_CLOEXEC, beyond));
    if (!copies.back()) return failed(program, errno);
    ::posix_spawn_file_actions_adddup2(actions.get(), copies.back().get(),
                                       kFirstInherited + static_cast<int>(i));
  }
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const Attributes attributes;
  pid_t child = 0;
  if (const int status =
          ::posix_spawn(&child, program.c_str(), actions.get(), attributes.get(), argv.data(), environ);
      status != 0)
    return failed(program, status);
  return child;
}

}  // namespace mta
