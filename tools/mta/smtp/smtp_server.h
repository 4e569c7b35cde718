/// Takes clients at the sockets of a service, as many at a time as its process limit says.
///
///     SmtpServer server(io, *service, *service_under_stress, 100);
///     server.listen(std::move(socket), SmtpServer::Clients::kConnect);
///     ...
///     server.stop();   // no more clients; run() of the io_context ends with the last session
#pragma once

#include <asio/awaitable.hpp>
#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <set>

#include "libconf/handle.h"
#include "tools/mta/smtp/smtp_service.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

/// Not thread-safe. It must live until the io_context has run to its end.
class SmtpServer {
 public:
  /// `limit`: sessions at a time; 0: any number. Where it is reached, clients wait to be taken. From the
  /// session that takes the last place on, and until none has been taken by all for kStressTime, new sessions
  /// have the service `stressed`: the same with "stress = yes" (STRESS_README).
  SmtpServer(asio::io_context& io, SmtpService& service, SmtpService& stressed, std::size_t limit)
      : io_(io), service_(service), stressed_(stressed), limit_(limit) {}

  static constexpr std::chrono::seconds kStressTime{60};

  /// How clients come to a socket.
  enum class Clients {
    kConnect,
    kArePassed,  ///< Who connects has the connection of a client, and passes it on (master(5), `pass`).
  };

  /// Serves at a socket that listens.
  void listen(libconf::FileDescriptor socket, Clients clients);

  /// Whether a client has come so far.
  bool was_used() const { return was_used_; }

  /// Takes no more clients.
  void retire();

  /// Takes no more clients, and ends sessions as SmtpSession::stop() does.
  void stop();

 private:
  struct Listener {
    asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor;
    Clients clients;
    bool is_accepting = false;
  };

  /// The service for a session that begins now.
  SmtpService& service_now();
  void warn_of_stress();
  bool has_room() const { return limit_ == 0 || sessions_.size() < limit_; }
  void accept(Listener& listener);
  void accept_where_idle();
  asio::awaitable<void> serve(StreamSocket socket);
  asio::awaitable<void> serve_passed(StreamSocket socket_of_sender);

  asio::io_context& io_;
  SmtpService& service_;
  SmtpService& stressed_;
  std::size_t limit_;
  unsigned port_ = 0;       ///< Of a TCP socket; 0: there is none.
  bool is_public_ = false;  ///< Not on loopback alone, which is never under stress.
  std::optional<std::chrono::steady_clock::time_point> stress_end_;
  std::list<Listener> listeners_;
  std::set<SmtpSession*> sessions_;
  bool is_retired_ = false;
  bool is_stopping_ = false;
  bool was_used_ = false;
};

}  // namespace mta
