#include "tools/mta/delivery/server_connection.h"

#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "tools/mta/daemon/unix_address.h"

namespace mta {
namespace {

/// What the timer may find after all else is gone.
struct Attempt {
  explicit Attempt(const asio::any_io_executor& executor) : socket(executor), timer(executor) {}
  StreamSocket socket;
  asio::steady_timer timer;
  bool is_over = false;
  bool is_late = false;
};

tl::expected<StreamSocket::endpoint_type, std::string> endpoint_of(const MailServer& server) {
  asio::error_code error;
  if (server.port == 0) {
    const auto endpoint = unix_address(server.path);
    if (!endpoint) return tl::make_unexpected("File name too long");
    return StreamSocket::endpoint_type(*endpoint);
  }
  const asio::ip::address address = asio::ip::make_address(server.address, error);
  if (error) return tl::make_unexpected(error.message());
  return StreamSocket::endpoint_type(asio::ip::tcp::endpoint(address, server.port));
}

/// Whether the connection comes from where it should.
bool bind_to(StreamSocket& socket, const StreamSocket::endpoint_type& server, const LocalEnd& local,
             DiagnosticSink& log) {
  const std::string& address = server.protocol().family() == AF_INET ? local.ipv4 : local.ipv6;
  if (address.empty()) return true;
  asio::error_code error;
  const asio::ip::address parsed = asio::ip::make_address(address, error);
  if (!error) socket.bind(asio::ip::tcp::endpoint(parsed, 0), error);
  if (!error) return true;
  log.warn("bind-address", libconf::concat("smtp_connect_addr: bind ", address, ": ", error.message()));
  return false;
}

}  // namespace

asio::awaitable<tl::expected<std::unique_ptr<ServerConnection>, DeliveryFault>> ServerConnection::open(
    asio::any_io_executor executor, MailServer server, LocalEnd local, DiagnosticSink& log,
    std::chrono::seconds limit) {
  const auto failed = [&server](std::string_view reason) {
    return tl::make_unexpected(DeliveryFault{
        .status = "4.4.1", .text = libconf::concat("connect to ", server.relay(), ": ", reason)});
  };
  const auto endpoint = endpoint_of(server);
  if (!endpoint) co_return failed(endpoint.error());
  const auto attempt = std::make_shared<Attempt>(executor);
  asio::error_code error;
  attempt->socket.open(endpoint->protocol(), error);
  if (error) co_return failed(error.message());
  if (server.port != 0 && !bind_to(attempt->socket, *endpoint, local, log) && local.is_required)
    co_return tl::make_unexpected(DeliveryFault{.status = "4.4.0", .text = "server configuration error"});
  if (limit.count() > 0) {
    attempt->timer.expires_after(limit);
    attempt->timer.async_wait([weak = std::weak_ptr(attempt)](const asio::error_code& wait_error) {
      const auto self = weak.lock();
      if (wait_error || !self || self->is_over) return;
      self->is_late = true;
      asio::error_code ignored;
      self->socket.cancel(ignored);
    });
  }
  co_await attempt->socket.async_connect(*endpoint, asio::redirect_error(asio::use_awaitable, error));
  attempt->is_over = true;
  attempt->timer.cancel();
  if (attempt->is_late) co_return failed("Connection timed out");
  if (error) co_return failed(error.message());
  if (server.port != 0) attempt->socket.set_option(asio::ip::tcp::no_delay(true), error);
  co_return std::make_unique<ServerConnection>(std::move(attempt->socket));
}

asio::awaitable<StreamResult<void>> ServerConnection::send(std::string_view text,
                                                           std::chrono::seconds limit) {
  stream_.set_time_limit(limit);
  co_return co_await stream_.write(text);
}

asio::awaitable<TlsOutcome> ServerConnection::start_tls(ClientTls& tls, const ClientTlsPolicy& policy,
                                                        std::string server, DiagnosticSink& log,
                                                        std::chrono::seconds limit) {
  replies_ = ServerReplyReader(lines_);
  const Result<ClientTlsParameters> parameters = tls.parameters_of(policy);
  if (!parameters) {
    log.warn("tls-parameters", libconf::concat(server, ": ", parameters.error().message));
    co_return TlsOutcome::kFailed;
  }
  tls_session_.emplace(ClientTlsSession{.server = std::move(server), .log = log});
  const std::function<void(SSL*)> attach = [&](SSL* ssl) {
    tls.attach(ssl, *parameters, policy, *tls_session_);
  };
  stream_.set_time_limit(limit);
  const StreamResult<void> done = co_await stream_.connect_tls(tls.context(), attach);
  if (!done) {
    ClientTls::log_failure(*tls_session_, done.error() == StreamEnd::kTimeout);
    co_return TlsOutcome::kFailed;
  }
  const bool is_trusted = tls.check(stream_.tls(), policy, *tls_session_);
  co_return is_trusted ? TlsOutcome::kTrusted : TlsOutcome::kUntrusted;
}

void ServerConnection::watch_lines(ReplyLineSink& lines) {
  lines_ = &lines;
  replies_ = ServerReplyReader(lines_);
}

asio::awaitable<StreamResult<ServerReply>> ServerConnection::receive(std::chrono::seconds limit) {
  stream_.set_time_limit(limit);
  std::optional<ServerReply> reply = replies_.read("");
  while (!reply) {
    if (replies_.has_failed()) co_return tl::make_unexpected(StreamEnd::kStopped);
    const StreamResult<std::string_view> input = co_await stream_.read();
    if (!input) co_return tl::make_unexpected(input.error());
    reply = replies_.read(*input);
  }
  co_return std::move(*reply);
}

}  // namespace mta
