#include "tools/mta/submission/postdrop_client.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

constexpr std::size_t kPortion = 8192;

struct StatusText {
  int status;
  std::string_view text;
};

/// What a status means, where the program gives no reason.
constexpr std::array kStatusTexts = {
    StatusText{1, "internal protocol error"},
    StatusText{2, "queue file write error"},
    StatusText{4, "message file too big"},
};

Error failed(std::string message) { return {.kind = ErrorKind::kInputOutput, .message = std::move(message)}; }

std::string describe(int status) {
  for (const StatusText& each : kStatusTexts)
    if (each.status == status) return std::string(each.text);
  return concat("status ", std::to_string(status));
}

/// The program, with both ends of its conversation at `channel`; an errno value when there is none.
int spawn(const std::string& program, int channel, pid_t& child) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, channel, STDOUT_FILENO);
  std::string name = program;
  std::string option = "-r";
  std::array<char*, 3> argv = {name.data(), option.data(), nullptr};
  const int status = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  return status;
}

}  // namespace

PostdropClient::PostdropClient(PostdropClient&& other) noexcept
    : command_(std::move(other.command_)),
      child_(std::exchange(other.child_, 0)),
      channel_(std::move(other.channel_)),
      reader_(std::move(other.reader_)),
      queue_id_(std::move(other.queue_id_)),
      output_(std::move(other.output_)) {}

PostdropClient::~PostdropClient() {
  channel_ = FileDescriptor();  // The end, before the end record.
  if (child_ > 0) wait();
}

Result<PostdropClient> PostdropClient::start(const std::string& program) {
  const std::string command = concat(program, " -r");
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return failed(concat("socketpair: ", std::strerror(errno)));
  FileDescriptor ours(ends[0]);
  FileDescriptor theirs(ends[1]);
  pid_t child = 0;
  if (const int reason = spawn(program, theirs.get(), child); reason != 0)
    return failed(concat("unable to execute ", command, ": ", std::strerror(reason)));
  PostdropClient client(command, child, std::move(ours));
  // Ours is the only descriptor of the other side from here on, so that its end is seen.
  theirs = FileDescriptor();
  const Result<AttributeList> greeting = client.read_list();
  if (greeting)
    if (const auto id = find_attribute(*greeting, "queue_id")) client.queue_id_ = *id;
  if (client.queue_id_.empty()) {
    client.channel_ = FileDescriptor();
    const int status = client.wait();
    return failed(concat("unable to execute ", command, ": ",
                         status == 0 ? "it says no queue ID" : "Application error"));
  }
  return client;
}

void PostdropClient::put(RecordType type, std::string_view payload) {
  append_record(output_, type, payload);
  if (output_.size() >= kPortion) flush();
}

void PostdropClient::attribute(SubmissionAttribute attribute, std::string_view value) {
  put(RecordType::kAttribute, concat(submission_attribute_name(attribute), "=", value));
}

void PostdropClient::flush() {
  std::string_view rest = output_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(channel_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) break;  // It has an answer already, or is gone.
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  output_.clear();
}

Result<AttributeList> PostdropClient::read_list() {
  std::array<char, 1024> buffer{};
  for (;;) {
    if (std::optional<AttributeList> list = reader_.take()) return std::move(*list);
    const ssize_t size = ::read(channel_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0 || !reader_.feed({buffer.data(), static_cast<std::size_t>(size)}))
      return failed(concat(command_, ": no answer"));
  }
}

int PostdropClient::wait() {
  int status = 0;
  while (::waitpid(std::exchange(child_, 0), &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

PostdropReply PostdropClient::finish() {
  flush();
  const Result<AttributeList> list = read_list();
  channel_ = FileDescriptor();
  const int ended = wait();
  const auto status = list ? find_attribute(*list, "status") : std::nullopt;
  PostdropReply reply{.status = -1};
  if (status) std::from_chars(status->data(), status->data() + status->size(), reply.status);
  if (reply.is_done()) return reply;
  if (!status) {
    reply.status = 2;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) != 0)
      reply.warning =
          concat("command \"", command_, "\" exited with status ", std::to_string(WEXITSTATUS(ended)));
  }
  if (list) reply.reason = find_attribute(*list, "reason").value_or("");
  if (reply.reason.empty()) reply.reason = describe(reply.status);
  return reply;
}

}  // namespace mta
