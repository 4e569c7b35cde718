#include "tools/smtpd/queue_reports.h"

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <utility>

#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/queue/listing_protocol.h"
#include "tools/mta/queue/queue_lister.h"

namespace smtpd {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using Acceptor = asio::local::stream_protocol::acceptor;
using Socket = asio::local::stream_protocol::socket;

/// Before the next try, when no client could be taken for want of descriptors or memory.
constexpr std::chrono::milliseconds kPause{100};
/// What is collected before it is sent, in bytes.
constexpr std::size_t kPortion = std::size_t{64} << 10;

class QueueReports final : public Service {
 public:
  QueueReports(asio::io_context& io, mta::MailLog& log, mta::QueueDirectory queue,
               mta::QueueLister::Options options, std::chrono::seconds limit, std::size_t client_limit)
      : io_(io),
        log_(log),
        queue_(std::move(queue)),
        options_(std::move(options)),
        limit_(limit),
        client_limit_(client_limit) {}

  Result<void> listen(mta::Transport transport, libconf::FileDescriptor socket) override {
    if (transport != mta::Transport::kUnix)
      return Error{.kind = ErrorKind::kUnsupported, .message = "showq has no clients there"};
    acceptors_.emplace_back(io_, asio::local::stream_protocol(), socket.release());
    asio::co_spawn(io_, accept(acceptors_.back()), asio::detached);
    return {};
  }
  bool was_used() const override { return was_used_; }
  void stop() override {
    asio::error_code ignored;
    for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
  }

 private:
  asio::awaitable<void> accept(Acceptor& acceptor) {
    asio::error_code failure;
    while (acceptor.is_open()) {
      Socket client = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (failure == asio::error::operation_aborted) break;
      if (failure || (client_limit_ > 0 && clients_ >= client_limit_)) {
        asio::steady_timer pause(io_, kPause);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        if (!client.is_open()) continue;
      }
      was_used_ = true;
      asio::co_spawn(io_, report(std::move(client)), asio::detached);
    }
  }

  /// Who does not read is left after `limit_` for each portion.
  asio::awaitable<void> report(Socket socket) {
    const mta::EventLoop::Hold hold;
    // The deadline may have passed, and its handler not have run yet, when the last portion is gone.
    const auto client = std::make_shared<Socket>(std::move(socket));
    ++clients_;
    asio::steady_timer deadline(io_);
    mta::QueueLister lister(queue_, options_);
    std::string text(mta::kListingGreeting);
    asio::error_code failure;
    for (bool is_over = false; !is_over && !failure;) {
      is_over = !fill(lister, text);
      deadline.expires_after(limit_);
      deadline.async_wait([client](const asio::error_code& cancelled) {
        asio::error_code ignored;
        if (!cancelled) client->close(ignored);
      });
      const auto portion = asio::buffer(text);
      co_await asio::async_write(*client, portion, asio::redirect_error(asio::use_awaitable, failure));
      deadline.cancel();
      text.clear();
    }
    --clients_;
  }

  /// Adds the next messages. False: there are no more, or they cannot be read; then the end is missing, and
  /// the client knows.
  bool fill(mta::QueueLister& lister, std::string& text) {
    const mta::EventLoop::Pause pause;
    while (text.size() < kPortion) {
      const auto message = lister.next();
      if (!message) {
        log_.write({.program = "showq"}, libconf::Severity::kInfo,
                   "fatal: " + std::string(message.error().message));
        return false;
      }
      if (!*message) {
        text += mta::kListingEnd;
        return false;
      }
      text += mta::format_listed_message(**message);
    }
    return true;
  }

  asio::io_context& io_;
  mta::MailLog& log_;
  const mta::QueueDirectory queue_;
  const mta::QueueLister::Options options_;
  const std::chrono::seconds limit_;
  const std::size_t client_limit_;
  std::list<Acceptor> acceptors_;
  std::size_t clients_ = 0;
  bool was_used_ = false;
};

}  // namespace

Result<std::unique_ptr<Service>> serve_queue_reports(ServiceStart start) {
  Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(start.settings);
  if (!queue) return queue.error();
  Result<mta::QueueLister::Options> options = mta::QueueLister::Options::read(start.settings);
  if (!options) return options.error();
  const Result<std::chrono::seconds> limit = start.settings.get_duration("ipc_timeout");
  if (!limit) return limit.error();
  return std::unique_ptr<Service>(std::make_unique<QueueReports>(start.runtime.io, start.runtime.log,
                                                                 std::move(*queue), std::move(*options),
                                                                 *limit, start.process_limit));
}

}  // namespace smtpd
