/// The filters of one SMTP session (smtpd_milters; MILTER_README): what is told to them, what comes of it,
/// and the lines of the log.
///
///     std::unique_ptr<SmtpMilters> milters = SmtpMilters::open(executor, service, state);
///     if (milters) reply = co_await milters->mail({"<ann@example.org>", "SIZE=100"}, actions);
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/access/verdict.h"
#include "tools/mta/content/milter_client.h"
#include "tools/mta/smtp/milter_macros.h"
#include "tools/mta/smtp/reply.h"
#include "tools/mta/smtp/smtp_service.h"

namespace mta {

/// How mail for an address, in internal form, would go: for macros.
MilterAddress milter_address(AddressServices& addresses, const std::string& address);

/// Who sends the mail, as filters are told.
MilterPeer milter_peer(const ClientState& client);

/// A reply is what the client is told instead of what it would be; nothing: go on. Not thread-safe. `service`
/// and `state` must outlive it; the state is that of the session, and is looked at whenever something is
/// told.
class SmtpMilters {
 public:
  using Answer = asio::awaitable<std::optional<Reply>>;
  /// An address as the client wrote it, in angle brackets, and ESMTP parameters.
  using Arguments = std::vector<std::string>;

  /// Null: nobody filters this client. A table of smtpd_milter_maps that cannot tell is warned of, and the
  /// client is told to come again, as when a filter cannot be asked. `connections` is how many this client
  /// has; 0: they are not counted.
  static std::unique_ptr<SmtpMilters> open(const asio::any_io_executor& executor, SmtpService& service,
                                           const SmtpdState& state, unsigned connections);
  SmtpMilters(const SmtpMilters&) = delete;
  SmtpMilters& operator=(const SmtpMilters&) = delete;

  Answer connect();
  /// `protocol` is what the session had before this command.
  Answer helo(std::string_view command, std::string protocol);
  Answer mail(Arguments arguments, MessageActions& actions);
  Answer recipient(Arguments arguments, MessageActions& actions);
  /// A recipient that was refused with `reply`: told to those who want to know.
  asio::awaitable<void> rejected_recipient(Arguments arguments, Reply reply);
  /// `recipient` is the first of the message.
  Answer data(std::string recipient, MessageActions& actions);
  Answer unknown(std::string command);

  /// The message is over, in whatever way.
  void abort() { chain_.abort(); }

  MilterChain& chain() { return chain_; }

 private:
  SmtpMilters(const asio::any_io_executor& executor, SmtpService& service, const SmtpdState& state,
              unsigned connections, std::vector<MilterOptions> filters);

  /// What is logged beside the state.
  struct Occasion {
    std::string_view command;
    std::string_view protocol;
    std::optional<std::string> recipient = {};
    MessageActions* actions = nullptr;  ///< Of the message; null: there is none.
  };
  std::optional<Reply> settle(const MilterVerdict& verdict, const Occasion& occasion);
  void log(std::string_view verdict, std::string_view text, const Occasion& occasion);

  SmtpService& service_;
  const SmtpdState& state_;
  std::vector<MilterOptions> filters_;
  MilterFacts facts_;
  MilterChain chain_;
};

}  // namespace mta
