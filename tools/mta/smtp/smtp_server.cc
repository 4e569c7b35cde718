#include "tools/mta/smtp/smtp_server.h"

#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>

#include "libconf/text.h"

namespace mta {
namespace {

/// Before the next try, when no client could be taken for want of descriptors or memory.
constexpr std::chrono::milliseconds kPause{100};

asio::ip::tcp protocol_of(int socket) {
  int domain = AF_INET;
  socklen_t size = sizeof domain;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

}  // namespace

void SmtpServer::listen(libconf::FileDescriptor socket) {
  const asio::ip::tcp protocol = protocol_of(socket.get());
  listeners_.push_back({asio::ip::tcp::acceptor(io_, protocol, socket.release())});
  asio::error_code failure;
  const auto endpoint = listeners_.back().acceptor.local_endpoint(failure);
  is_public_ = is_public_ || (!failure && !endpoint.address().is_loopback());
  accept(listeners_.back());
}

void SmtpServer::accept(Listener& listener) {
  if (is_stopping_ || listener.is_accepting || !has_room()) return;
  listener.is_accepting = true;
  listener.acceptor.async_accept(
      [this, &listener](const asio::error_code& failure, asio::ip::tcp::socket socket) {
        listener.is_accepting = false;
        if (failure == asio::error::operation_aborted) return;
        if (failure) {
          service_.log(libconf::Severity::kWarning, libconf::concat("accept: ", failure.message()));
          const auto timer = std::make_shared<asio::steady_timer>(io_, kPause);
          timer->async_wait([this, timer](const asio::error_code&) { accept_where_idle(); });
          return;
        }
        asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
        accept(listener);
      });
}

void SmtpServer::accept_where_idle() {
  for (Listener& listener : listeners_) accept(listener);
}

SmtpService& SmtpServer::service_now() {
  const auto now = std::chrono::steady_clock::now();
  // The session that is about to begin is not among them yet.
  if (is_public_ && limit_ > 0 && sessions_.size() + 1 >= limit_) {
    if (!stress_end_) warn_of_stress();
    stress_end_ = now + kStressTime;
  }
  if (stress_end_ && now >= *stress_end_) stress_end_.reset();
  return stress_end_ ? stressed_ : service_;
}

void SmtpServer::warn_of_stress() {
  const std::string& name = service_.name();
  const std::size_t colon = name.rfind(':');
  asio::error_code failure;
  const std::string port = std::to_string(listeners_.front().acceptor.local_endpoint(failure).port());
  const std::string place =
      colon == std::string::npos ? port : libconf::concat("[", name.substr(0, colon), "]:", port);
  for (const std::string& line :
       {libconf::concat("service \"", name, "\" (", place, ") has reached its process limit \"",
                        std::to_string(limit_), "\": new clients may experience noticeable delays"),
        std::string("to avoid this condition, increase the process count in master.cf or reduce the service "
                    "time per client"),
        std::string("see http://www.postfix.org/STRESS_README.html for examples of stress-adapting "
                    "configuration settings")})
    service_.runtime().log.write({.program = "master"}, libconf::Severity::kWarning, line);
}

asio::awaitable<void> SmtpServer::serve(asio::ip::tcp::socket socket) {
  {
    SmtpSession session(std::move(socket), service_now());
    sessions_.insert(&session);
    if (is_stopping_) session.stop();
    co_await session.run();
    sessions_.erase(&session);
  }
  accept_where_idle();
}

void SmtpServer::stop() {
  is_stopping_ = true;
  // Not removed: the handlers that come with the end of accepting refer to them.
  asio::error_code ignored;
  for (Listener& listener : listeners_) listener.acceptor.close(ignored);
  for (SmtpSession* const session : sessions_) session->stop();
}

}  // namespace mta
