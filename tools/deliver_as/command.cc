#include "tools/deliver_as/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "tools/deliver_as/copy_message.h"
#include "tools/deliver_as/file_limit.h"
#include "tools/mta/delivery/user_action_wire.h"

namespace deliver_as {
namespace {

using libconf::concat;
using libconf::FileDescriptor;
using mta::CommandResult;
using mta::CommandRun;
using Clock = std::chrono::steady_clock;

constexpr int kTryLater = 75;  // EX_TEMPFAIL of <sysexits.h>

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

bool open_pipe(Pipe& pipe) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  pipe = Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  return true;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// The child of the child. Never returns; `failure` gets to know why the command cannot be run.
[[noreturn]] void become_command(const CommandRun& command, int input, int output, int failure) {
  ::setsid();
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::signal(SIGPIPE, SIG_DFL);  // NOLINT: the constants are the C library's
  const FileLimit limit(command.file_limit);
  ::signal(SIGXFSZ, SIG_DFL);  // NOLINT
  std::vector<char*> arguments = pointers(command.arguments);
  std::vector<char*> environment = pointers(command.environment);
  ::environ = environment.data();
  ::execvp(arguments.front(), arguments.data());
  const std::string reason =
      concat(command.failure, " ", command.arguments.front(), ": ", std::strerror(errno));
  static_cast<void>(libconf::write_all(STDERR_FILENO, concat(command.program, ": fatal: ", reason, "\n")));
  static_cast<void>(libconf::write_all(failure, reason));
  ::_exit(kTryLater);
}

/// A command that runs, and both its ends.
class Conversation {
 public:
  Conversation(pid_t child, FileDescriptor input, FileDescriptor output, std::uint32_t time_limit)
      : child_(child),
        input_(std::move(input)),
        output_(std::move(output)),
        deadline_(Clock::now() + std::chrono::seconds(time_limit)) {
    ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  }

  /// A TextOutput. What the command says meanwhile is read, so that neither waits for the other.
  int write(std::string_view text) {
    while (!text.empty()) {
      if (is_deaf_) return 0;
      const ssize_t written = ::write(input_.get(), text.data(), text.size());
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
      if (written >= 0 || errno == EINTR) continue;
      if (errno != EAGAIN) is_deaf_ = true;
      if (!is_deaf_ && !wait(true)) return ETIMEDOUT;
    }
    return 0;
  }

  /// The rest of the output. False: it takes too long.
  bool finish() {
    input_ = FileDescriptor();
    while (!is_silent_)
      if (!wait(false)) return false;
    return true;
  }

  /// False: it takes too long.
  bool wait_for_end(int& status) {
    for (;;) {
      const pid_t ended = ::waitpid(child_, &status, WNOHANG);
      if (ended == child_) return true;
      if (ended < 0 && errno != EINTR) return false;
      if (Clock::now() >= deadline_) return false;
      const timespec moment{.tv_sec = 0, .tv_nsec = 2'000'000};
      ::nanosleep(&moment, nullptr);
    }
  }

  void kill() {
    ::kill(-child_, SIGKILL);
    ::kill(child_, SIGKILL);
    int status = 0;
    ::waitpid(child_, &status, 0);
  }

  std::string take_output() { return std::move(said_); }

 private:
  /// Until the command takes something, if `to_write`, or says something, which is read. False: the time is
  /// over.
  bool wait(bool to_write) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 2> ends{{{.fd = is_silent_ ? -1 : output_.get(), .events = POLLIN, .revents = 0},
                                {.fd = to_write ? input_.get() : -1, .events = POLLOUT, .revents = 0}}};
    const int ready = ::poll(ends.data(), ends.size(), static_cast<int>(std::min<long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ends[0].revents != 0) read();
    return true;
  }

  void read() {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(output_.get(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (size <= 0) {
      is_silent_ = true;
      return;
    }
    const std::size_t room = mta::kLongestOutput - said_.size();
    said_.append(buffer.data(), std::min(room, static_cast<std::size_t>(size)));
  }

  pid_t child_;
  FileDescriptor input_;
  FileDescriptor output_;
  Clock::time_point deadline_;
  std::string said_;
  bool is_deaf_ = false;    ///< It does not read any more.
  bool is_silent_ = false;  ///< It has closed its output.
};

CommandResult failed(std::string_view what, int error) {
  return {.reason = concat(what, ": ", std::strerror(error))};
}

}  // namespace

CommandResult run_command(const CommandRun& command, int message) {
  if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0)
    return failed(concat("cannot change directory to \"", command.directory,
                         "\" for uid=", std::to_string(::geteuid()), " gid=", std::to_string(::getegid())),
                  errno);
  Pipe input, output, failure;
  if (!open_pipe(input) || !open_pipe(output) || !open_pipe(failure)) return failed("pipe", errno);
  const pid_t child = ::fork();
  if (child < 0) return failed("fork", errno);
  if (child == 0) become_command(command, input.read.get(), output.write.get(), failure.write.get());
  Conversation conversation(child, std::move(input.write), std::move(output.read), command.time_limit);
  input = {};
  output = {};
  failure.write = FileDescriptor();
  const std::optional<CopyFault> copied =
      copy_message(message, command.copy, [&](std::string_view text) { return conversation.write(text); });
  CommandResult result;
  int status = 0;
  if (copied && copied->error == 0) {
    // The command must not take a part for the whole.
    conversation.kill();
    result.reason = copied->reason;
    return result;
  }
  if (copied || !conversation.finish() || !conversation.wait_for_end(status)) {
    conversation.kill();
    result.end = CommandResult::End::kTimeLimit;
  } else if (WIFSIGNALED(status)) {
    result.end = CommandResult::End::kSignal;
    result.number = WTERMSIG(status);
  } else {
    result.end = CommandResult::End::kExit;
    result.number = WEXITSTATUS(status);
    libconf::read_to_end(failure.read.get(), result.reason);
  }
  result.output = conversation.take_output();
  return result;
}

}  // namespace deliver_as
