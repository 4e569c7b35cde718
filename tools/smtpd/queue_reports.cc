#include "tools/smtpd/queue_reports.h"

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/daemon/local_acceptors.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/queue/listing_protocol.h"
#include "tools/mta/queue/queue_lister.h"

namespace smtpd {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using Socket = mta::LocalAcceptors::Socket;

/// Before the next look whether there is room for a client more.
constexpr std::chrono::milliseconds kPause{100};
/// What is collected before it is sent, in bytes.
constexpr std::size_t kPortion = std::size_t{64} << 10;

class QueueReports final : public mta::Service {
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
    acceptors_.add(std::move(socket));
    return {};
  }
  bool was_used() const override { return was_used_; }
  void stop() override { acceptors_.close(); }

 private:
  /// Who does not read is left after `limit_` for each portion.
  asio::awaitable<void> report(Socket socket) {
    const mta::EventLoop::Hold hold;
    // The deadline may have passed, and its handler not have run yet, when the last portion is gone.
    const auto client = std::make_shared<Socket>(std::move(socket));
    asio::error_code failure;
    asio::steady_timer deadline(io_);
    while (client_limit_ > 0 && clients_ >= client_limit_) {
      deadline.expires_after(kPause);
      co_await deadline.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    }
    ++clients_;
    mta::QueueLister lister(queue_, options_);
    std::string text(mta::kListingGreeting);
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
  mta::LocalAcceptors acceptors_{io_, [this](Socket client) {
                                   was_used_ = true;
                                   asio::co_spawn(io_, report(std::move(client)), asio::detached);
                                 }};
  std::size_t clients_ = 0;
  bool was_used_ = false;
};

}  // namespace

Result<std::unique_ptr<mta::Service>> serve_queue_reports(ServiceStart start) {
  Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(start.settings);
  if (!queue) return queue.error();
  Result<mta::QueueLister::Options> options = mta::QueueLister::Options::read(start.settings);
  if (!options) return options.error();
  const Result<std::chrono::seconds> limit = start.settings.get_duration("ipc_timeout");
  if (!limit) return limit.error();
  return std::unique_ptr<mta::Service>(std::make_unique<QueueReports>(start.runtime.io, start.runtime.log,
                                                                      std::move(*queue), std::move(*options),
                                                                      *limit, start.process_limit));
}

}  // namespace smtpd
