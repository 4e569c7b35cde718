/// The dialogue of the SMTP or LMTP client with one server (RFC 5321, RFC 2033, RFC 2920, RFC 3461; smtp(8)).
///
///     SmtpClientSession session(options, server, std::move(connection), log);
///     std::optional<DeliveryFault> fault = co_await session.greet("example.com");
///     if (!fault) co_await session.probe(request, recipients, sink);
///     co_await session.quit();
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/server_connection.h"
#include "tools/mta/delivery/server_lookup.h"
#include "tools/mta/delivery/server_reply.h"
#include "tools/mta/delivery/smtp_client_options.h"
#include "tools/mta/smtp/server_options.h"

namespace mta {

/// What EHLO or LHLO said.
class ServerFeatures {
 public:
  ServerFeatures() = default;

  /// Reads the lines of a reply to EHLO, the first of which is a greeting.
  ServerFeatures(const ServerReply& reply, const DiscardedKeywords& discarded);

  bool has(EhloKeyword keyword) const { return (bits_ & static_cast<unsigned>(keyword)) != 0; }
  /// In bytes; 0: none.
  std::uint64_t size_limit() const { return size_limit_; }

 private:
  unsigned bits_ = 0;
  std::uint64_t size_limit_ = 0;
};

/// Gets to know what becomes of recipients, each of them once. Numbers are those of
/// DeliveryRequest::recipients.
class RecipientSink {
 public:
  virtual ~RecipientSink() = default;
  virtual void accept(std::size_t recipient, const ServerReply& reply) = 0;
  virtual void refuse(std::size_t recipient, const DeliveryFault& fault) = 0;
  /// The same for all these, because of what is about none of them.
  virtual void refuse_all(std::span<const std::size_t> recipients, const DeliveryFault& fault) = 0;
};

/// Not thread-safe. What it is given must outlive it.
class SmtpClientSession {
 public:
  SmtpClientSession(const SmtpClientOptions& options, MailServer server,
                    std::unique_ptr<ServerConnection> connection, libconf::DiagnosticSink& warnings)
      : options_(options),
        server_(std::move(server)),
        connection_(std::move(connection)),
        warnings_(warnings) {}

  /// Greeting and EHLO, HELO or LHLO. `domain` is what the mail is for. A fault: the server takes no mail
  /// now.
  asio::awaitable<std::optional<DeliveryFault>> greet(std::string domain);

  /// Asks whether mail of the request could be delivered to these recipients, and sends none.
  asio::awaitable<void> probe(const DeliveryRequest& request, std::vector<std::size_t> recipients,
                              RecipientSink& sink);

  /// Ends the session, politely where that is still possible.
  asio::awaitable<void> quit();

 private:
  struct Command {
    enum class Kind : std::uint8_t { kMail, kRcpt, kData, kRset, kQuit };
    Kind kind = Kind::kMail;
    std::string line = {};
    std::size_t recipient = 0;
  };
  class Probe;

  asio::awaitable<std::optional<DeliveryFault>> say_hello(bool is_extended, std::string domain);
  std::optional<DeliveryFault> unsuitable(const DeliveryRequest& request) const;
  std::string mail_command(const DeliveryRequest& request) const;
  std::string rcpt_command(const QueueRecipient& recipient) const;
  std::vector<Command> probe_commands(const DeliveryRequest& request,
                                      std::span<const std::size_t> recipients) const;
  std::string envelope_address(const std::string& address) const;
  std::chrono::seconds time_limit(Command::Kind kind) const;

  bool is_own_name(std::string_view name) const;
  DeliveryFault refusal(const ServerReply& reply) const;
  DeliveryFault refusal_of(Command::Kind kind, const ServerReply& reply) const;
  DeliveryFault loss(StreamEnd end, std::string_view while_what);

  const SmtpClientOptions& options_;
  MailServer server_;
  std::unique_ptr<ServerConnection> connection_;
  libconf::DiagnosticSink& warnings_;
  ServerFeatures features_;
  bool is_usable_ = true;  ///< A command may be sent.
  bool has_quit_ = false;  ///< QUIT was.
};

}  // namespace mta
