#include "tools/mta/delivery/smtp_client_session.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/xtext.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

/// Replies to more commands than these bytes hold could fill what the system keeps of both directions, and
/// both sides would wait for each other.
constexpr std::size_t kLargestGroup = 16384;

struct CommandFacts {
  std::string_view name;        ///< In "in reply to ... command".
  std::string_view while_what;  ///< In "lost connection with ... while ...".
};
/// In the order of Command::Kind.
constexpr std::array<CommandFacts, 5> kCommands{{{"MAIL FROM", "sending MAIL FROM"},
                                                 {"RCPT TO", "sending RCPT TO"},
                                                 {"DATA", "sending DATA command"},
                                                 {"RSET", "sending RSET"},
                                                 {"QUIT", "sending QUIT command"}}};

std::string_view first_word(std::string_view text) {
  return libconf::next_word(text, libconf::kBlanks).value_or("");
}

bool offers_esmtp(const ServerReply& greeting) {
  for (std::string_view line : greeting.lines)
    while (const auto word = libconf::next_word(line, libconf::kBlanks))
      if (equals_ignoring_case(*word, "ESMTP")) return true;
  return false;
}

}  // namespace

ServerFeatures::ServerFeatures(const ServerReply& reply, const DiscardedKeywords& discarded) {
  constexpr struct {
    std::string_view name;
    EhloKeyword keyword;
  } kKnown[] = {{"PIPELINING", EhloKeyword::kPipelining},
                {"SIZE", EhloKeyword::kSize},
                {"8BITMIME", EhloKeyword::k8BitMime},
                {"DSN", EhloKeyword::kDsn},
                {"SMTPUTF8", EhloKeyword::kSmtputf8}};
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {
    std::string_view line = reply.lines[i];
    const std::string_view word = libconf::next_word(line, " \t=").value_or("");
    const std::string_view limit = libconf::trim(line);
    for (const auto& [name, keyword] : kKnown) {
      if (!equals_ignoring_case(word, name) || discarded.has(keyword)) continue;
      bits_ |= static_cast<unsigned>(keyword);
      if (keyword != EhloKeyword::kSize) continue;
      const auto end = std::from_chars(limit.data(), limit.data() + limit.size(), size_limit_);
      if (end.ec != std::errc()) size_limit_ = 0;
    }
  }
}

bool SmtpClientSession::is_own_name(std::string_view name) const {
  return !options_.is_lmtp() && server_.port == kSmtpPort && equals_ignoring_case(name, options_.myhostname);
}

DeliveryFault SmtpClientSession::refusal(const ServerReply& reply) const {
  return {.status = reply.is_success() ? "5.5.0" : reply.status,
          .text = concat("host ", server_.host(), " refused to talk to me: ", reply.text),
          .remote_server = server_.name,
          .diagnostic = reply.text};
}

DeliveryFault SmtpClientSession::refusal_of(Command::Kind kind, const ServerReply& reply) const {
  const bool is_error = reply.code / 100 == 4 || reply.code / 100 == 5;
  const CommandFacts& facts = kCommands[static_cast<std::size_t>(kind)];
  return {.status = is_error ? reply.status : "5.5.0",
          .text = concat("host ", server_.host(), " said: ", reply.text, " (in reply to ", facts.name,
                         " command)"),
          .remote_server = server_.name,
          .diagnostic = reply.text};
}

DeliveryFault SmtpClientSession::loss(StreamEnd end, std::string_view while_what) {
  is_usable_ = false;
  if (end == StreamEnd::kTimeout)
    return {.status = "4.4.2",
            .text = concat("conversation with ", server_.host(), " timed out while ", while_what)};
  return {.status = "4.4.2", .text = concat("lost connection with ", server_.host(), " while ", while_what)};
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::greet(std::string domain) {
  const StreamResult<ServerReply> greeting = co_await connection_->receive(options_.helo_timeout);
  if (!greeting) co_return loss(greeting.error(), "receiving the initial server greeting");
  if (!greeting->is_success()) {
    DeliveryFault fault = refusal(*greeting);
    const bool is_error = greeting->code / 100 == 4 || greeting->code / 100 == 5;
    if (!is_error) fault.status = "5.5.0";
    if (is_error && options_.skips_5xx_greeting) fault.status[0] = '4';
    co_return fault;
  }
  const std::string name(first_word(greeting->lines.front()));
  if (is_own_name(name))
    warnings_.report(
        {.severity = libconf::Severity::kWarning,
         .message = concat("host ", server_.relay(), " greeted me with my own hostname ", name)});
  const bool is_extended =
      options_.is_lmtp() || (!options_.never_ehlo && (options_.always_ehlo || offers_esmtp(*greeting)));
  co_return co_await say_hello(is_extended, std::move(domain));
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::say_hello(bool is_extended,
                                                                           std::string domain) {
  constexpr int kClosing = 421;
  const std::string_view verb = options_.is_lmtp() ? "LHLO" : is_extended ? "EHLO" : "HELO";
  const std::string while_what = concat("performing the ", verb, " handshake");
  std::string line = concat(verb, " ", options_.helo_name, "\r\n");
  const StreamResult<void> sent = co_await connection_->send(std::move(line), options_.helo_timeout);
  if (!sent) co_return loss(sent.error(), while_what);
  const StreamResult<ServerReply> reply = co_await connection_->receive(options_.helo_timeout);
  if (!reply) co_return loss(reply.error(), while_what);
  if (!reply->is_success()) {
    // A server that does not know EHLO still may know HELO.
    const bool has_other = is_extended && !options_.is_lmtp() && reply->code != kClosing;
    if (has_other) co_return co_await say_hello(false, std::move(domain));
    co_return refusal(*reply);
  }
  const std::string name(first_word(reply->lines.front()));
  if (is_own_name(name)) {
    warnings_.report(
        {.severity = libconf::Severity::kWarning,
         .message = concat("host ", server_.relay(), " replied to HELO/EHLO with my own hostname ", name)});
    co_return DeliveryFault{.status = "5.4.6", .text = concat("mail for ", domain, " loops back to myself")};
  }
  if (!is_extended) co_return std::nullopt;
  const std::string names = options_.discarded_keywords.to_string();
  if (!names.empty() && !options_.discarded_keywords.is_silent())
    warnings_.report(
        {.severity = libconf::Severity::kInfo, .message = concat("discarding EHLO keywords: ", names)});
  features_ = ServerFeatures(*reply, options_.discarded_keywords);
  co_return std::nullopt;
}

/// Why this server cannot take such a message, whatever it says.
std::optional<DeliveryFault> SmtpClientSession::unsuitable(const DeliveryRequest& request) const {
  if (features_.size_limit() > 0 && request.content_size > features_.size_limit())
    return DeliveryFault{
        .status = "5.3.4",
        .text = concat("message size ", std::to_string(request.content_size), " exceeds size limit ",
                       std::to_string(features_.size_limit()), " of server ", server_.host())};
  return std::nullopt;
}

std::string SmtpClientSession::envelope_address(const std::string& address) const {
  return options_.quotes_envelope ? quote_address(address) : address;
}

std::string SmtpClientSession::mail_command(const DeliveryRequest& request) const {
  std::string line = concat("MAIL FROM:<", envelope_address(request.sender), ">");
  if (features_.has(EhloKeyword::kSize) && request.content_size > 0)
    line += concat(" SIZE=", std::to_string(request.content_size));
  if (features_.has(EhloKeyword::k8BitMime) && equals_ignoring_case(request.encoding, "8bit"))
    line += " BODY=8BITMIME";
  if (features_.has(EhloKeyword::kDsn) && request.return_flags != 0)
    line += (request.return_flags & kReturnFull) != 0 ? " RET=FULL" : " RET=HDRS";
  if (features_.has(EhloKeyword::kDsn) && !request.envelope_id.empty())
    line += concat(" ENVID=", encode_xtext(request.envelope_id));
  if (features_.has(EhloKeyword::kSmtputf8) && request.send_options != 0) line += " SMTPUTF8";
  return line + "\r\n";
}

std::string SmtpClientSession::rcpt_command(const QueueRecipient& recipient) const {
  constexpr struct {
    NotifyFlag flag;
    std::string_view name;
  } kNames[] = {{kNotifyNever, "NEVER"},
                {kNotifySuccess, "SUCCESS"},
                {kNotifyFailure, "FAILURE"},
                {kNotifyDelay, "DELAY"}};
  std::string line = concat("RCPT TO:<", envelope_address(recipient.address), ">");
  if (features_.has(EhloKeyword::kDsn)) {
    std::string_view separator = " NOTIFY=";
    for (const auto& [flag, name] : kNames) {
      if ((recipient.notify & flag) == 0) continue;
      line += concat(separator, name);
      separator = ",";
    }
    const std::size_t semicolon = recipient.dsn_original.find(';');
    if (semicolon != std::string::npos)
      line += concat(" ORCPT=", recipient.dsn_original.substr(0, semicolon + 1),
                     encode_xtext(recipient.dsn_original.substr(semicolon + 1)));
  }
  return line + "\r\n";
}

std::vector<SmtpClientSession::Command> SmtpClientSession::probe_commands(
    const DeliveryRequest& request, std::span<const std::size_t> recipients) const {
  using Kind = Command::Kind;
  std::vector<Command> commands{{.kind = Kind::kMail, .line = mail_command(request)}};
  for (const std::size_t each : recipients)
    commands.push_back(
        {.kind = Kind::kRcpt, .line = rcpt_command(request.recipients[each]), .recipient = each});
  if (options_.probes_data) {
    commands.push_back({.kind = Kind::kData, .line = "DATA\r\n"});
    return commands;
  }
  commands.push_back({.kind = Kind::kRset, .line = "RSET\r\n"});
  commands.push_back({.kind = Kind::kQuit, .line = "QUIT\r\n"});
  return commands;
}

std::chrono::seconds SmtpClientSession::time_limit(Command::Kind kind) const {
  switch (kind) {
    case Command::Kind::kMail:
      return options_.mail_timeout;
    case Command::Kind::kRcpt:
      return options_.rcpt_timeout;
    case Command::Kind::kData:
      return options_.data_init_timeout;
    case Command::Kind::kRset:
      return options_.rset_timeout;
    case Command::Kind::kQuit:
      return options_.quit_timeout;
  }
  return options_.mail_timeout;
}

/// What a probe has found out so far.
class SmtpClientSession::Probe {
 public:
  Probe(const SmtpClientSession& session, std::vector<std::size_t> recipients, RecipientSink& sink)
      : session_(session), open_(std::move(recipients)), sink_(sink) {}

  void take(const Command& command, const ServerReply& reply) {
    using Kind = Command::Kind;
    if (command.kind == Kind::kMail && !reply.is_success())
      return end(session_.refusal_of(Kind::kMail, reply));
    if (command.kind == Kind::kRcpt) return take_recipient(command.recipient, reply);
    if (command.kind != Kind::kData) return;
    // What was refused already is not open any more.
    has_data_ = reply.code / 100 == 3;
    if (!has_data_) return end(session_.refusal_of(Kind::kData, reply));
    for (const std::size_t each : open_) sink_.accept(each, reply);
    open_.clear();
  }

  /// For all that nothing is known of yet.
  void end(const DeliveryFault& fault) {
    if (!open_.empty()) sink_.refuse_all(open_, fault);
    open_.clear();
  }

  bool is_over() const { return open_.empty(); }
  bool has_data() const { return has_data_; }

 private:
  void take_recipient(std::size_t recipient, const ServerReply& reply) {
    const auto place = std::find(open_.begin(), open_.end(), recipient);
    if (place == open_.end()) return;
    if (reply.is_success() && session_.options_.probes_data) return;
    open_.erase(place);
    if (reply.is_success()) return sink_.accept(recipient, reply);
    sink_.refuse(recipient, session_.refusal_of(Command::Kind::kRcpt, reply));
  }

  const SmtpClientSession& session_;
  std::vector<std::size_t> open_;
  RecipientSink& sink_;
  bool has_data_ = false;
};

asio::awaitable<void> SmtpClientSession::probe(const DeliveryRequest& request,
                                               std::vector<std::size_t> recipients, RecipientSink& sink) {
  using Kind = Command::Kind;
  std::vector<Command> commands = probe_commands(request, recipients);
  Probe probe(*this, std::move(recipients), sink);
  if (const auto fault = unsuitable(request)) {
    probe.end(*fault);
    is_usable_ = false;
    co_return;
  }
  for (std::size_t next = 0; next < commands.size() && is_usable_;) {
    // Without pipelining a group is one command, and what makes no sense any more is not sent.
    const bool is_needless =
        probe.is_over() && (commands[next].kind == Kind::kRcpt || commands[next].kind == Kind::kData);
    if (is_needless) {
      ++next;
      continue;
    }
    std::string group;
    std::size_t end = next;
    do {
      group += commands[end++].line;
    } while (features_.has(EhloKeyword::kPipelining) && end < commands.size() &&
             group.size() < kLargestGroup);
    const CommandFacts& facts = kCommands[static_cast<std::size_t>(commands[next].kind)];
    const StreamResult<void> sent =
        co_await connection_->send(std::move(group), time_limit(commands[next].kind));
    if (!sent) {
      probe.end(loss(sent.error(), facts.while_what));
      break;
    }
    for (; next < end; ++next) {
      has_quit_ |= commands[next].kind == Kind::kQuit;
      if (has_quit_) co_return;
      const StreamResult<ServerReply> reply = co_await connection_->receive(time_limit(commands[next].kind));
      if (!reply) {
        probe.end(loss(reply.error(), kCommands[static_cast<std::size_t>(commands[next].kind)].while_what));
        break;
      }
      probe.take(commands[next], *reply);
    }
  }
  // A server that waits for a message is left: an empty one would be delivered.
  if (probe.has_data()) is_usable_ = false;
  if (!is_usable_ || !options_.probes_data) co_return;
  has_quit_ = features_.has(EhloKeyword::kPipelining);
  std::string farewell = has_quit_ ? "RSET\r\nQUIT\r\n" : "RSET\r\n";
  const StreamResult<void> sent = co_await connection_->send(std::move(farewell), options_.rset_timeout);
  if (!sent) {
    is_usable_ = false;
    co_return;
  }
  const StreamResult<ServerReply> reply = co_await connection_->receive(options_.rset_timeout);
  is_usable_ = reply.has_value();
}

asio::awaitable<void> SmtpClientSession::quit() {
  if (is_usable_ && !has_quit_) {
    const StreamResult<void> sent = co_await connection_->send("QUIT\r\n", options_.quit_timeout);
    has_quit_ = sent.has_value();
  }
  if (is_usable_ && has_quit_ && !options_.skips_quit_response) {
    const StreamResult<ServerReply> reply = co_await connection_->receive(options_.quit_timeout);
    is_usable_ = reply.has_value();
  }
  co_await connection_->close();
}

}  // namespace mta
