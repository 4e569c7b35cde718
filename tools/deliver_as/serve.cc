#include "tools/deliver_as/serve.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>

#include "libconf/file.h"
#include "libconf/text.h"
#include "tools/deliver_as/become_user.h"
#include "tools/deliver_as/command.h"
#include "tools/deliver_as/file_text.h"
#include "tools/deliver_as/mailbox_file.h"
#include "tools/deliver_as/maildir.h"
#include "tools/mta/delivery/user_action_wire.h"

namespace deliver_as {
namespace {

using libconf::FileDescriptor;

struct Request {
  std::string packet;
  FileDescriptor answer;
  FileDescriptor message;
};

/// The answer of `kind` that says: not done.
std::string refusal(mta::ActionKind kind, std::string reason) {
  switch (kind) {
    case mta::ActionKind::kDeliver:
      return encode(
          mta::ActionResult{.fault = mta::ActionFault{.code = "4.3.0", .reason = std::move(reason)}});
    case mta::ActionKind::kRun:
      return encode(mta::CommandResult{.reason = std::move(reason)});
    case mta::ActionKind::kRead:
      return encode(mta::FileText{.reason = std::move(reason)});
  }
  return {};
}

/// Nothing: the other side is gone. A request without its descriptors has none.
std::optional<Request> receive(int connection, std::string& buffer) {
  constexpr std::size_t kDescriptors = 2;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptors * sizeof(int))> control{};
  iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = 0;
  while ((size = ::recvmsg(connection, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (size <= 0) return std::nullopt;
  Request request;
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(each) + i * sizeof(int), sizeof descriptor);
      (request.answer ? request.message : request.answer) = FileDescriptor(descriptor);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
    request.packet.assign(buffer, 0, static_cast<std::size_t>(size));
  return request;
}

std::string act(mta::ActionKind kind, std::string_view bytes, int message) {
  constexpr std::string_view kNonsense = "malformed request";
  switch (kind) {
    case mta::ActionKind::kDeliver: {
      const auto delivery = mta::decode_delivery(bytes);
      if (!delivery) return refusal(kind, std::string(kNonsense));
      return encode(delivery->path.ends_with('/') ? deliver_to_maildir(*delivery, message)
                                                  : append_to_file(*delivery, message));
    }
    case mta::ActionKind::kRun: {
      const auto command = mta::decode_command(bytes);
      if (!command || command->arguments.empty()) return refusal(kind, std::string(kNonsense));
      return encode(run_command(*command, message));
    }
    case mta::ActionKind::kRead: {
      const auto path = mta::decode_path(bytes);
      return path ? encode(read_text(*path)) : refusal(kind, std::string(kNonsense));
    }
  }
  return {};
}

}  // namespace

std::string answer(std::string_view packet, int message, const std::vector<std::string>& roots) {
  const std::optional<mta::ActionHeader> header = mta::decode_header(packet);
  if (!header || header->root > roots.size()) return {};
  const std::string root = header->root == 0 ? "" : roots[header->root - 1];
  const libconf::Result<void> become = become_user(header->user, header->group, root);
  if (!become) return refusal(header->kind, become.error().message);
  return act(header->kind, packet, message);
}

void serve(int connection, const std::vector<std::string>& roots) {
  std::string buffer(mta::kLongestAction, '\0');
  while (const std::optional<Request> request = receive(connection, buffer)) {
    if (request->packet.empty() || !request->answer) continue;
    const pid_t child = ::fork();
    if (child < 0) {
      // Whoever asked gets no answer, and tries later; so must this process, or it would only fail again.
      const timespec moment{.tv_sec = 0, .tv_nsec = 100'000'000};
      ::nanosleep(&moment, nullptr);
    }
    if (child != 0) continue;
    ::close(connection);
    ::signal(SIGCHLD, SIG_DFL);  // NOLINT: the constant is the C library's
    libconf::write_all(request->answer.get(), answer(request->packet, request->message.get(), roots));
    ::_exit(0);
  }
}

}  // namespace deliver_as
