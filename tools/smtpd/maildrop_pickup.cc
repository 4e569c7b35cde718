#include "tools/smtpd/maildrop_pickup.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <list>
#include <utility>

#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/mail_notifier.h"
#include "tools/mta/submission/pickup.h"
#include "tools/smtpd/local_acceptors.h"

namespace smtpd {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;
using mta::Transport;

/// What is said is of no interest, only that something is.
using Words = std::array<char, 64>;

/// What senders are told by, of mail that is refused.
struct Notices {
  std::unique_ptr<mta::InternalMailService> mail;
  std::unique_ptr<mta::MailNotifier> notifier;
};

Result<Notices> open_notices(const libconf::Settings& settings, const mta::SmtpRuntime& runtime) {
  Notices notices;
  auto mail = mta::InternalMailService::create(settings, {.executor = runtime.io.get_executor(),
                                                          .log = runtime.log,
                                                          .host = runtime.host,
                                                          .queue = runtime.queue,
                                                          .committer = runtime.committer});
  if (!mail) return mail.error();
  notices.mail = std::move(*mail);
  auto notifier = mta::MailNotifier::create(settings, *notices.mail, runtime.queue, runtime.log);
  if (!notifier) return notifier.error();
  notices.notifier = std::move(*notifier);
  return notices;
}

class MaildropPickup final : public Service {
 public:
  MaildropPickup(std::unique_ptr<mta::SmtpService> service, Notices notices, mta::PickupOptions options,
                 asio::io_context& io)
      : io_(io),
        service_(std::move(service)),
        notices_(std::move(notices)),
        pickup_(io, std::move(options), service_->intake(), *notices_.notifier) {
    // What came while the mail system was down; not before the process runs as mail_owner.
    asio::post(io_, [this] { pickup_.scan(); });
  }

  Result<void> listen(Transport transport, FileDescriptor socket) override {
    if (transport == Transport::kUnix) {
      acceptors_.add(std::move(socket));
    } else if (transport == Transport::kFifo) {
      pipes_.emplace_back(io_, socket.release());
      asio::co_spawn(io_, read(pipes_.back()), asio::detached);
    } else {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message = "pickup is told by unix sockets and fifos only"};
    }
    return {};
  }
  void wake_up() override { pickup_.scan(); }
  bool was_used() const override { return was_used_; }
  void stop() override {
    pickup_.stop();
    asio::error_code ignored;
    acceptors_.close();
    for (auto& pipe : pipes_) pipe.close(ignored);
    for (Client& client : clients_) client.close(ignored);
  }

 private:
  using Client = LocalAcceptors::Socket;
  using Pipe = asio::posix::stream_descriptor;

  void told() {
    was_used_ = true;
    pickup_.scan();
  }

  void take(Client client) {
    clients_.push_back(std::move(client));
    asio::co_spawn(io_, listen_to(std::prev(clients_.end())), asio::detached);
  }

  /// Reads up to the end, as a client that is not listened to any more would get a signal for it.
  asio::awaitable<void> listen_to(std::list<Client>::iterator client) {
    Words words{};
    asio::error_code failure;
    const auto buffer = asio::buffer(words);
    bool was_told = false;
    while (!failure) {
      co_await client->async_read_some(buffer, asio::redirect_error(asio::use_awaitable, failure));
      if (!failure && !std::exchange(was_told, true)) told();
    }
    clients_.erase(client);
  }

  asio::awaitable<void> read(Pipe& pipe) {
    Words words{};
    asio::error_code failure;
    const auto buffer = asio::buffer(words);
    while (!failure) {
      co_await pipe.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, failure));
      if (!failure) told();
    }
  }

  asio::io_context& io_;
  std::unique_ptr<mta::SmtpService> service_;
  Notices notices_;
  mta::Pickup pickup_;
  /// When a client cannot be taken there is work all the same.
  LocalAcceptors acceptors_{io_, [this](Client client) { take(std::move(client)); }, [this] { told(); }};
  std::list<Pipe> pipes_;
  std::list<Client> clients_;
  bool was_used_ = false;
};

}  // namespace

Result<std::unique_ptr<Service>> serve_maildrop(ServiceStart start) {
  Result<mta::PickupOptions> options = mta::PickupOptions::read(start.settings);
  if (!options) return options.error();
  Result<Notices> notices = open_notices(start.settings, start.runtime);
  if (!notices) return notices.error();
  // The way of a message into the queue is the same as from a client, with the same parameters; but nobody is
  // there who could encrypt or log in.
  for (const auto& [parameter, value] : {std::pair{"smtpd_tls_security_level", "none"},
                                         {"smtpd_tls_wrappermode", "no"},
                                         {"smtpd_sasl_auth_enable", "no"}})
    start.settings.override_value(parameter, value);
  Result<std::unique_ptr<mta::SmtpService>> service =
      mta::SmtpService::create(std::move(start.settings), start.runtime);
  if (!service) return service.error();
  return std::unique_ptr<Service>(std::make_unique<MaildropPickup>(std::move(*service), std::move(*notices),
                                                                   std::move(*options), start.runtime.io));
}

}  // namespace smtpd
