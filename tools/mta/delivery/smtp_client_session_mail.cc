// What SmtpClientSession says of a message, and what becomes of its recipients.
#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "tools/mta/delivery/envelope_commands.h"
#include "tools/mta/delivery/smtp_client_session.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

/// Replies to more commands than these bytes hold could fill what the system keeps of both directions, and
/// both sides would wait for each other.
constexpr std::size_t kLargestGroup = 16384;

/// Content is sent in pieces of about that size.
constexpr std::size_t kPiece = 65536;

struct CommandFacts {
  std::string_view name;        ///< In "in reply to ... command".
  std::string_view while_what;  ///< In "lost connection with ... while ...".
};
/// In the order of SmtpClientSession::Command.
constexpr std::array<CommandFacts, 9> kCommands{
    {{"RSET", "sending RSET"},
     {"XFORWARD name/address", "sending XFORWARD name/address"},
     {"XFORWARD helo/protocol", "sending XFORWARD helo/protocol"},
     {"MAIL FROM", "sending MAIL FROM"},
     {"RCPT TO", "sending RCPT TO"},
     {"DATA", "sending DATA command"},
     {"end of DATA", "sending end of data -- message may be sent more than once"},
     {"RSET", "sending RSET"},
     {"QUIT", "sending QUIT command"}}};

}  // namespace

/// What is known of the recipients so far.
class SmtpClientSession::Progress {
 public:
  Progress(SmtpClientSession& session, bool is_probe, std::vector<std::size_t> recipients,
           RecipientSink& sink)
      : session_(session),
        ends_with_rcpt_(is_probe && !session.options_.probes_data),
        ends_with_data_(is_probe),
        open_(std::move(recipients)),
        sink_(sink) {}

  void take(const Step& step, const ServerReply& reply) {
    switch (step.command) {
      case Command::kMail:
        if (!reply.is_success()) end(session_.refusal_of(step.command, reply));
        return;
      case Command::kRcpt:
        return take_recipient(step.recipient, reply);
      case Command::kData:
        has_data_ = reply.code / 100 == 3;
        if (!has_data_) return end(session_.refusal_of(step.command, reply));
        if (ends_with_data_) accept_all(reply);
        return;
      case Command::kXforwardClient:
      case Command::kXforwardSession:
        if (!reply.is_success())
          session_.log_.write(session_.tag_, Severity::kWarning,
                              session_.said(session_.server_.relay(), step.command, reply));
        return;
      case Command::kWake:
      case Command::kEnd:
      case Command::kRset:
      case Command::kQuit:
        return;
    }
  }

  /// A reply to the message that is about all, or about the first that is open (LMTP).
  void take_end(const ServerReply& reply) {
    if (!session_.options_.is_lmtp()) {
      if (reply.is_success()) return accept_all(reply);
      return end(session_.refusal_of(Command::kEnd, reply));
    }
    const std::size_t recipient = open_.front();
    open_.erase(open_.begin());
    if (reply.is_success()) return sink_.accept(recipient, reply);
    sink_.refuse(recipient, session_.refusal_of(Command::kEnd, reply));
  }

  /// For all that nothing is known of yet.
  void end(const DeliveryFault& fault) {
    const std::vector<std::size_t> rest = std::exchange(open_, {});
    if (!rest.empty()) sink_.refuse_all(rest, fault);
  }

  bool is_over() const { return open_.empty(); }
  /// The server waits for the message.
  bool has_data() const { return has_data_; }

 private:
  void accept_all(const ServerReply& reply) {
    for (const std::size_t each : std::exchange(open_, {})) sink_.accept(each, reply);
  }

  void take_recipient(std::size_t recipient, const ServerReply& reply) {
    if (reply.is_success() && !ends_with_rcpt_) return;
    const auto place = std::find(open_.begin(), open_.end(), recipient);
    if (place == open_.end()) return;
    open_.erase(place);
    if (reply.is_success()) return sink_.accept(recipient, reply);
    sink_.refuse(recipient, session_.refusal_of(Command::kRcpt, reply));
  }

  SmtpClientSession& session_;
  bool ends_with_rcpt_;
  bool ends_with_data_;
  std::vector<std::size_t> open_;
  RecipientSink& sink_;
  bool has_data_ = false;
};

std::string SmtpClientSession::said(std::string_view who, Command command, const ServerReply& reply) const {
  return concat("host ", who, " said: ", reply.text, " (in reply to ",
                kCommands[static_cast<std::size_t>(command)].name, " command)");
}

DeliveryFault SmtpClientSession::refusal_of(Command command, const ServerReply& reply) {
  if (reply.is_protocol_error()) transcript_.note(ErrorClass::kProtocol);
  const bool is_error = reply.code / 100 == 4 || reply.code / 100 == 5;
  const bool is_out_of_turn = command == Command::kData && reply.is_success();
  return {.status = is_error ? reply.status : "5.5.0",
          .text = concat(is_out_of_turn ? "Protocol error: " : "", said(server_.host(), command, reply)),
          .remote_server = server_.name,
          .diagnostic = reply.text};
}

/// Why this server cannot take such a message, whatever it says.
std::optional<DeliveryFault> SmtpClientSession::unsuitable(const DeliveryRequest& request,
                                                           const std::vector<std::size_t>& recipients) {
  if (features_.size_limit() > 0 && request.content_size > features_.size_limit()) {
    is_usable_ = is_kept_;
    return DeliveryFault{
        .status = "5.3.4",
        .text = concat("message size ", std::to_string(request.content_size), " exceeds size limit ",
                       std::to_string(features_.size_limit()), " of server ", server_.host())};
  }
  if (!features_.has(EhloKeyword::kSmtputf8) && needs_smtputf8(request, recipients))
    return DeliveryFault{
        .status = "5.6.7",
        .text = concat("SMTPUTF8 is required, but was not offered by host ", server_.host())};
  return std::nullopt;
}

std::vector<SmtpClientSession::Step> SmtpClientSession::steps(
    const DeliveryRequest& request, const std::vector<std::size_t>& recipients) const {
  std::vector<Step> steps;
  steps.reserve(recipients.size() + 5);
  if (uses_ > 1) steps.push_back({Command::kWake});
  if (options_.sends_xforward && features_.has(EhloKeyword::kXforward)) {
    steps.push_back({Command::kXforwardClient});
    steps.push_back({Command::kXforwardSession});
  }
  steps.push_back({Command::kMail});
  for (const std::size_t each : recipients) steps.push_back({Command::kRcpt, each});
  if (request.purpose == DeliveryPurpose::kProbe && !options_.probes_data) {
    steps.push_back({Command::kRset});
    steps.push_back({Command::kQuit});
  } else {
    steps.push_back({Command::kData});
  }
  return steps;
}

/// Nothing, where there is nothing to say.
void SmtpClientSession::append_command(std::string& out, const Step& step,
                                       const DeliveryRequest& request) const {
  switch (step.command) {
    case Command::kWake:
      out += "RSET\r\n";
      return;
    case Command::kXforwardClient:
      return append_xforward_client(out, request.origin, features_);
    case Command::kXforwardSession:
      return append_xforward_session(out, request.origin, features_);
    case Command::kMail:
      return append_mail_command(out, request, features_,
                                 {.quotes = options_.quotes_envelope,
                                  .is_converted = converts(request),
                                  .is_dummy_login = is_logged_in_ && login_.logins->sends_dummy()});
    case Command::kRcpt:
      return append_rcpt_command(out, request.recipients[step.recipient], features_,
                                 options_.quotes_envelope);
    case Command::kData:
      out += "DATA\r\n";
      return;
    case Command::kEnd:
      out += ".\r\n";
      return;
    case Command::kRset:
      out += "RSET\r\n";
      return;
    case Command::kQuit:
      out += "QUIT\r\n";
      return;
  }
}

std::chrono::seconds SmtpClientSession::time_limit(Command command) const {
  switch (command) {
    case Command::kXforwardClient:
    case Command::kXforwardSession:
      return options_.xforward_timeout;
    case Command::kMail:
      return options_.mail_timeout;
    case Command::kRcpt:
      return options_.rcpt_timeout;
    case Command::kData:
      return options_.data_init_timeout;
    case Command::kEnd:
      return options_.data_done_timeout;
    case Command::kWake:
    case Command::kRset:
      return options_.rset_timeout;
    case Command::kQuit:
      return options_.quit_timeout;
  }
  return options_.mail_timeout;
}

/// Goes through the steps, with as many commands in a write as the server lets us send.
asio::awaitable<void> SmtpClientSession::converse(const DeliveryRequest& request,
                                                  const std::vector<Step>& steps, Progress& progress) {
  const bool is_pipelined = features_.has(EhloKeyword::kPipelining);
  std::string group;
  std::vector<Step> sent_steps;
  for (std::size_t next = 0; next < steps.size() && is_usable_;) {
    group.clear();
    sent_steps.clear();
    while (next < steps.size() && group.size() < kLargestGroup && (is_pipelined || group.empty())) {
      const Step step = steps[next++];
      // What makes no sense any more is not sent.
      if (progress.is_over() && (step.command == Command::kRcpt || step.command == Command::kData)) continue;
      const std::size_t before = group.size();
      append_command(group, step, request);
      if (group.size() > before) sent_steps.push_back(step);
    }
    if (group.empty()) co_return;
    const StreamResult<void> sent = co_await say(group, time_limit(sent_steps.front().command));
    Command command = sent_steps.front().command;
    StreamResult<void> result = sent;
    for (const Step& step : sent_steps) {
      if (!result) break;
      command = step.command;
      has_quit_ |= command == Command::kQuit;
      if (has_quit_) co_return;
      const StreamResult<ServerReply> reply = co_await connection_->receive(time_limit(command));
      is_stale_ = command == Command::kWake && (!reply || !reply->is_success());
      if (is_stale_) break;
      if (reply) {
        progress.take(step, *reply);
      } else {
        result = tl::make_unexpected(reply.error());
      }
    }
    is_stale_ |= !sent && command == Command::kWake;
    if (is_stale_) {
      is_usable_ = false;
      co_return;
    }
    if (!result) {
      const DeliveryFault fault =
          loss(result.error(), kCommands[static_cast<std::size_t>(command)].while_what);
      progress.end(fault);
    }
  }
}

/// Forgets what was said of a message that will not be sent.
asio::awaitable<void> SmtpClientSession::reset() {
  has_quit_ = !is_kept_ && features_.has(EhloKeyword::kPipelining);
  const std::string_view farewell = has_quit_ ? "RSET\r\nQUIT\r\n" : "RSET\r\n";
  const StreamResult<void> sent = co_await say(farewell, options_.rset_timeout);
  is_usable_ = sent.has_value();
  if (!is_usable_) co_return;
  const StreamResult<ServerReply> reply = co_await connection_->receive(options_.rset_timeout);
  is_usable_ = reply.has_value();
}

asio::awaitable<void> SmtpClientSession::probe(const DeliveryRequest& request,
                                               std::vector<std::size_t> recipients, RecipientSink& sink) {
  const std::vector<Step> all = steps(request, recipients);
  const std::optional<DeliveryFault> fault = unsuitable(request, recipients);
  Progress progress(*this, true, std::move(recipients), sink);
  if (fault) {
    progress.end(*fault);
    co_return;
  }
  co_await converse(request, all, progress);
  // A server that waits for a message is left: an empty one would be delivered.
  if (progress.has_data()) is_usable_ = false;
  if (is_usable_ && options_.probes_data) co_await reset();
}

asio::awaitable<void> SmtpClientSession::deliver(const DeliveryRequest& request, int message,
                                                 std::vector<std::size_t> recipients, RecipientSink& sink) {
  ++uses_;
  lines_.set_queue_id(request.queue_id);
  const std::vector<Step> all = steps(request, recipients);
  const std::optional<DeliveryFault> fault = unsuitable(request, recipients);
  Progress progress(*this, false, std::move(recipients), sink);
  if (fault) {
    progress.end(*fault);
    co_return;
  }
  co_await converse(request, all, progress);
  if (!is_usable_) co_return;
  if (!progress.has_data()) {
    co_await reset();
  } else if (progress.is_over()) {
    // It waits for a message to nobody.
    co_await end_message("", progress);
  } else {
    co_await send_message(request, message, progress);
  }
}

/// Whether text that is 8bit, if there is any, becomes quoted-printable.
bool SmtpClientSession::converts(const DeliveryRequest& request) const {
  return options_.converts_8bit && !features_.has(EhloKeyword::k8BitMime) &&
         !libconf::equals_ignoring_case(request.encoding, "7bit");
}

DeliveryFault SmtpClientSession::unsent(const libconf::Error& error) const {
  if (error.kind == libconf::ErrorKind::kUnsupported) return {.status = "5.6.0", .text = error.message};
  log_.write(tag_, Severity::kWarning, error.message);
  if (error.kind == libconf::ErrorKind::kTemporary)
    return {.status = "4.3.0", .text = concat("local data error while talking to ", server_.host())};
  return {.status = "4.3.0", .text = "queue file read error"};
}

asio::awaitable<void> SmtpClientSession::send_message(const DeliveryRequest& request, int message,
                                                      Progress& progress) {
  Result<OutgoingContent> content =
      OutgoingContent::open(message, request.queue_id, options_.line_length_limit);
  ContentEdits edits = edits_;
  edits.mime.converts_8bit = converts(request);
  if (content && edits.is_needed()) content->edit(edits);
  std::string text;
  Result<bool> more = true;
  if (!content) more = content.error();
  bool has_told = false;
  while (more && *more) {
    // Line by line: the log tells what is done to them in their order.
    more = content->read(text, text.size() + 1);
    if (!has_told && content->has_broken_line()) {
      has_told = true;
      log_.write(tag_, Severity::kInfo,
                 concat(request.queue_id, ": breaking line > ", std::to_string(options_.line_length_limit),
                        " bytes with <CR><LF>SPACE"));
    }
    if (!more || !*more) break;
    if (text.size() < kPiece) continue;
    const StreamResult<void> sent = co_await connection_->send(text, options_.data_xfer_timeout);
    text.clear();
    if (sent) continue;
    const DeliveryFault fault = loss(sent.error(), "sending message body");
    progress.end(fault);
    co_return;
  }
  if (!more) {
    // As far as it came; the connection is cut then, or that would be taken for the message.
    if (!text.empty()) {
      const StreamResult<void> sent = co_await connection_->send(text, options_.data_xfer_timeout);
      static_cast<void>(sent);
    }
    is_usable_ = false;
    const DeliveryFault fault = unsent(more.error());
    progress.end(fault);
    co_return;
  }
  co_await end_message(std::move(text), progress);
}

/// Sends the rest of the message, and takes what the server says of it.
asio::awaitable<void> SmtpClientSession::end_message(std::string text, Progress& progress) {
  has_quit_ = !is_kept_ && features_.has(EhloKeyword::kPipelining);
  const std::string_view end = has_quit_ ? ".\r\nQUIT\r\n" : ".\r\n";
  transcript_.sent(end);
  text += end;
  const StreamResult<void> sent = co_await connection_->send(text, options_.data_xfer_timeout);
  if (!sent) {
    const DeliveryFault fault = loss(sent.error(), "sending message body");
    progress.end(fault);
    co_return;
  }
  if (progress.is_over()) {
    // By LMTP, nobody knows how many replies there are to a message to nobody.
    is_usable_ = !options_.is_lmtp();
    if (!is_usable_) co_return;
    const StreamResult<ServerReply> reply = co_await connection_->receive(options_.data_done_timeout);
    is_usable_ = is_kept_ && reply.has_value();
    co_return;
  }
  while (!progress.is_over()) {
    const StreamResult<ServerReply> reply = co_await connection_->receive(options_.data_done_timeout);
    if (reply) {
      progress.take_end(*reply);
      continue;
    }
    const DeliveryFault fault =
        loss(reply.error(), kCommands[static_cast<std::size_t>(Command::kEnd)].while_what);
    progress.end(fault);
  }
}

}  // namespace mta
