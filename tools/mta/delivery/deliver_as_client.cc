#include "tools/mta/delivery/deliver_as_client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "libconf/text.h"
#include "tools/mta/daemon/process.h"
#include "tools/mta/delivery/user_action_wire.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

Error failed(std::string_view what, int error) {
  return {.kind = ErrorKind::kTemporary, .message = concat(what, ": ", std::strerror(error))};
}

/// One packet with its descriptors. Returns 0 or an errno.
int send_packet(int connection, std::string_view packet, int answer, int message) {
  std::array<int, 2> descriptors{answer, message};
  const std::size_t size = (message >= 0 ? 2 : 1) * sizeof(int);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> control{};
  iovec data{.iov_base = const_cast<char*>(packet.data()), .iov_len = packet.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = CMSG_SPACE(size);
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(rights), descriptors.data(), size);
  return ::sendmsg(connection, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

std::string header_of(ActionKind kind, Identity who, std::uint32_t root = 0) {
  const ActionHeader header{.kind = kind, .user = who.user, .group = who.group, .root = root};
  return encode(header);
}

}  // namespace

Result<std::unique_ptr<DeliverAsClient>> DeliverAsClient::start(const std::string& program,
                                                                std::vector<std::string> roots) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair", errno);
  FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  const int descriptor = theirs.get();
  const Result<pid_t> child = start_process(program, roots, {&descriptor, 1});
  if (!child) return child.error();
  return std::unique_ptr<DeliverAsClient>(new DeliverAsClient(std::move(ours), std::move(roots)));
}

std::uint32_t DeliverAsClient::find_root(std::string_view directory) const {
  const auto found = std::find(roots_.begin(), roots_.end(), directory);
  return found == roots_.end() ? 0 : static_cast<std::uint32_t>(found - roots_.begin()) + 1;
}

void DeliverAsClient::attach(const asio::any_io_executor& executor) {
  connection_.emplace(executor, unattached_.release());
  connection_->non_blocking(true);
}

asio::awaitable<Result<void>> DeliverAsClient::send(std::string_view packet, int answer, int message) {
  if (packet.size() > kLongestAction)
    co_return Error{.kind = ErrorKind::kTemporary, .message = "request is too long"};
  for (;;) {
    const int error = send_packet(connection_->native_handle(), packet, answer, message);
    if (error == 0) co_return Result<void>();
    if (error == EINTR) continue;
    if (error != EAGAIN) co_return failed("deliver_as", error);
    asio::error_code waited;
    co_await connection_->async_wait(asio::posix::stream_descriptor::wait_write,
                                     asio::redirect_error(asio::use_awaitable, waited));
    if (waited) co_return Error{.kind = ErrorKind::kTemporary, .message = waited.message()};
  }
}

asio::awaitable<Result<std::string>> DeliverAsClient::ask(std::string packet, int message) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return failed("pipe", errno);
  asio::posix::stream_descriptor answer(connection_->get_executor(), ends[0]);
  {
    const FileDescriptor theirs(ends[1]);
    Result<void> sent = co_await send(packet, theirs.get(), message);
    if (!sent) co_return sent.error();
  }
  std::string text;
  std::array<char, 8192> buffer{};
  for (;;) {
    asio::error_code error;
    const std::size_t size = co_await answer.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    text.append(buffer.data(), size);
    if (text.size() > kLongestAnswer)
      co_return Error{.kind = ErrorKind::kTemporary, .message = "answer is too long"};
    if (error) co_return text;
  }
}

template <class Answer>
asio::awaitable<Result<Answer>> DeliverAsClient::ask_for(std::optional<Answer> (*decode)(std::string_view),
                                                         std::string packet, int message) {
  const Result<std::string> text = co_await ask(std::move(packet), message);
  if (!text) co_return text.error();
  std::optional<Answer> answer = decode(*text);
  if (!answer) co_return Error{.kind = ErrorKind::kTemporary, .message = "deliver_as gave no answer"};
  co_return std::move(*answer);
}

asio::awaitable<ActionResult> DeliverAsClient::deliver(Identity who, MailboxDelivery delivery, int message) {
  std::string packet = header_of(ActionKind::kDeliver, who) + encode(delivery);
  Result<ActionResult> result = co_await ask_for(decode_result, std::move(packet), message);
  if (result) co_return std::move(*result);
  co_return ActionResult{.fault = ActionFault{.code = "4.3.0", .reason = result.error().message}};
}

asio::awaitable<CommandResult> DeliverAsClient::run(Identity who, CommandRun command, int message) {
  std::string packet = header_of(ActionKind::kRun, who, command.root) + encode(command);
  Result<CommandResult> result = co_await ask_for(decode_command_result, std::move(packet), message);
  if (result) co_return std::move(*result);
  co_return CommandResult{.reason = result.error().message};
}

asio::awaitable<FileText> DeliverAsClient::read(Identity who, std::string path) {
  std::string packet = header_of(ActionKind::kRead, who) + encode_path(path);
  Result<FileText> result = co_await ask_for(decode_text, std::move(packet), -1);
  if (result) co_return std::move(*result);
  co_return FileText{.reason = result.error().message};
}

}  // namespace mta
