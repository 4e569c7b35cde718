#include "tools/smtpd/log_clients.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/datagram_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <list>
#include <string_view>

#include "tools/mta/daemon/mail_log.h"

namespace smtpd {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using Protocol = asio::local::datagram_protocol;

/// The longest line, in bytes; what is longer is cut, as Postfix has it.
constexpr std::size_t kLongestLine = 4096;

class LogClients final : public mta::Service {
 public:
  LogClients(asio::io_context& io, mta::MailLog& log) : io_(io), log_(log) {}

  Result<void> listen(mta::Transport transport, libconf::FileDescriptor socket) override {
    if (transport != mta::Transport::kUnixDatagram)
      return Error{.kind = ErrorKind::kUnsupported, .message = "postlogd is told by unix-dgram sockets only"};
    sockets_.emplace_back(io_, Protocol(), socket.release());
    asio::co_spawn(io_, read(sockets_.back()), asio::detached);
    return {};
  }
  bool was_used() const override { return was_used_; }
  void stop() override {
    asio::error_code ignored;
    for (auto& socket : sockets_) socket.close(ignored);
  }

 private:
  asio::awaitable<void> read(Protocol::socket& socket) {
    std::array<char, kLongestLine> line{};
    asio::error_code failure;
    const auto buffer = asio::buffer(line);
    while (true) {
      const std::size_t size =
          co_await socket.async_receive(buffer, asio::redirect_error(asio::use_awaitable, failure));
      if (failure) co_return;
      was_used_ = true;
      log_.pass_on({line.data(), size});
    }
  }

  asio::io_context& io_;
  mta::MailLog& log_;
  std::list<Protocol::socket> sockets_;
  bool was_used_ = false;
};

}  // namespace

Result<std::unique_ptr<mta::Service>> serve_log_clients(ServiceStart start) {
  return std::unique_ptr<mta::Service>(std::make_unique<LogClients>(start.runtime.io, start.runtime.log));
}

}  // namespace smtpd
