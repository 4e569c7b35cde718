/// Filters that are asked over a socket, about one SMTP session (MILTER_README): MilterSession with a
/// connection.
///
///     MilterChain filters(executor, options, macros, warn);
///     MilterVerdict verdict = co_await filters.connect(peer);
///     verdict = co_await filters.tell([](MilterSession& session) { return session.helo("client.example");
///     }); for (const auto& filter : filters.clients()) verdict = co_await filter->inspect(message, edits);
///
/// Other sessions go on while a filter thinks.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/content/milter_session.h"
#include "tools/mta/content/staged_message.h"
#include "tools/mta/daemon/client_socket.h"

namespace mta {

/// Who sends the mail, as a filter is told.
struct MilterPeer {
  std::string name;  ///< "[192.0.2.1]" when it is not known.
  MilterFamily family = MilterFamily::kInet;
  std::uint16_t port = 0;
  std::string address;
};

/// The packets that tell an event: a call of one of MilterSession's functions.
using MilterEvent = std::function<std::string(MilterSession& session)>;

/// Takes a warning for the log, in Postfix's words.
using MilterWarn = std::function<void(std::string_view text)>;

/// One filter. Not thread-safe. `options` must outlive the object.
class MilterClient {
 public:
  MilterClient(const asio::any_io_executor& executor, const MilterOptions& options, MilterMacroLookup macros,
               MilterWarn warn);
  MilterClient(const MilterClient&) = delete;
  MilterClient& operator=(const MilterClient&) = delete;
  ~MilterClient();

  /// Opens the connection, and tells of the peer. A second call is about another one, over a new connection.
  asio::awaitable<MilterVerdict> connect(MilterPeer peer);

  /// Tells a command of the session.
  asio::awaitable<MilterVerdict> tell(MilterEvent event);

  /// Tells the content, from the first header to the end of the message. What the filter changes goes to
  /// `edits` when it has seen all, warnings to `warn`. `message` must not change before.
  asio::awaitable<MilterVerdict> inspect(const StagedMessage& message, MilterEdits& edits, MilterWarn warn);

  /// The message is over, in whatever way.
  void abort();
  /// The session is over. Nothing may be told any more but connect().
  void quit();

  bool wants_rejected_recipients() const { return session_->wants_rejected_recipients(); }

 private:
  asio::awaitable<MilterVerdict> exchange(std::string packets, ClientSocket::Duration limit,
                                          MilterEdits& edits);
  asio::awaitable<bool> receive(ClientSocket::Duration limit, MilterEdits& edits);
  asio::awaitable<MilterVerdict> tell_content(const StagedMessage& message, MilterEdits& edits);
  asio::awaitable<MilterVerdict> tell_body(const StagedMessage& message, MilterEdits& edits);
  void fail_to_read(std::string_view reason);
  void send_now(std::string_view packets);
  void pass_warnings_on();

  asio::any_io_executor executor_;
  const MilterOptions& options_;
  MilterMacroLookup macros_;
  MilterWarn warn_;
  std::optional<MilterSession> session_;  ///< Always there; renewed by connect().
  MilterPacketReader reader_;
  std::shared_ptr<ClientSocket> socket_;
};

/// All filters of a session, in the order of smtpd_milters. `options` must outlive the object.
class MilterChain {
 public:
  MilterChain(const asio::any_io_executor& executor, const std::vector<MilterOptions>& options,
              const MilterMacroLookup& macros, const MilterWarn& warn);

  /// Each asks one filter after the other; the first that does not say "go on" decides.
  asio::awaitable<MilterVerdict> connect(MilterPeer peer);
  asio::awaitable<MilterVerdict> tell(MilterEvent event);

  /// Tells of a recipient that was refused those filters that want to know; what they say does not matter.
  asio::awaitable<void> tell_rejected_recipient(MilterEvent event);

  void abort();
  void quit();

  const std::vector<std::unique_ptr<MilterClient>>& clients() const { return clients_; }

 private:
  std::vector<std::unique_ptr<MilterClient>> clients_;
};

}  // namespace mta
