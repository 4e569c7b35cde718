/// A connection of the SMTP or LMTP client to a server: commands go out, replies come in.
///
///     auto connection = co_await ServerConnection::open(executor, server, options.local_end, log, 30s);
///     if (!connection) co_return try_next(connection.error());   // "connect to ...: Connection refused"
///     co_await (*connection)->send("RSET\r\n", 20s);
///     StreamResult<ServerReply> reply = co_await (*connection)->receive(20s);
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "tools/mta/delivery/client_tls.h"
#include "tools/mta/delivery/server_lookup.h"
#include "tools/mta/delivery/server_reply.h"
#include "tools/mta/smtp/stream.h"

namespace mta {

/// What became of a TLS handshake.
enum class TlsOutcome : std::uint8_t {
  kTrusted,    ///< The server is who the policy wants.
  kUntrusted,  ///< It is not, and no mail may go there; but it can be told so.
  kFailed,     ///< The connection is of no more use.
};

/// Not thread-safe: it is used by one coroutine at a time.
class ServerConnection {
 public:
  /// The fault says why there is none, in the words of the system. A limit of 0 is the system's.
  static asio::awaitable<tl::expected<std::unique_ptr<ServerConnection>, DeliveryFault>> open(
      asio::any_io_executor executor, MailServer server, LocalEnd local, DiagnosticSink& log,
      std::chrono::seconds limit);

  explicit ServerConnection(StreamSocket socket) : stream_(std::move(socket)) {}

  /// Has the lines of replies looked at; before the first receive(). `lines` must outlive the object.
  void watch_lines(ReplyLineSink& lines);

  /// Sends all of `text`, which must live until then; each write of the system may take as long as `limit`.
  asio::awaitable<StreamResult<void>> send(std::string_view text, std::chrono::seconds limit);

  /// The next reply; each read of the system may take as long as `limit`. kStopped: whoever watches lines
  /// could not tell what stands for one.
  asio::awaitable<StreamResult<ServerReply>> receive(std::chrono::seconds limit);

  /// Makes a TLS handshake, each read and write of which may take as long as `limit`. What came before
  /// it is forgotten: whoever sits in between may have said it. The log gets to know what was established.
  /// What is referred to must outlive the connection.
  asio::awaitable<TlsOutcome> start_tls(ClientTls& tls, const ClientTlsPolicy& policy, std::string server,
                                        DiagnosticSink& log, std::chrono::seconds limit);

  asio::awaitable<void> close() { co_await stream_.close(); }

 private:
  std::optional<ClientTlsSession> tls_session_;
  Stream stream_;
  ReplyLineSink* lines_ = nullptr;
  ServerReplyReader replies_;
};

}  // namespace mta
