#include "tools/mta/smtp/smtp_session.h"

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/smtp/client_name.h"
#include "tools/mta/smtp/connection_ends.h"
#include "tools/mta/smtp/ehlo.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

/// How much a client may send ahead while it is not read: a group of pipelined commands.
constexpr std::size_t kOutputLimit = 8192;

/// How much of a line that is too long the log has, in bytes.
constexpr std::size_t kShownOfLongLine = 30;

}  // namespace

SmtpSession::SmtpSession(StreamSocket socket, SmtpService& service)
    : stream_(std::move(socket)),
      service_(service),
      errors_(service.error_limits()),
      transcript_(start_transcript(service)),
      reader_(service.options().line_length_limit, service.options().smtpd_forbid_bare_newline,
              service.options().smtputf8_enable) {
  state_.is_under_stress = service.is_under_stress();
  if (const auto& limits = service.rules().request_deadline()) deadline_.emplace(*limits);
}

void SmtpSession::stop() {
  is_stopping_ = true;
  if (!protocol_.has_sender) stream_.interrupt();
}

Reply SmtpSession::unavailable(std::string_view status, std::string_view text, ErrorClasses classes) const {
  return {421, status, concat(service_.options().myhostname, " ", text), classes};
}

asio::awaitable<void> SmtpSession::run() {
  const std::optional<ConnectionEnds> ends = ends_of(stream_.socket());
  if (!ends) co_return;  // It is gone already.
  stream_.set_time_limit(service_.timeout());
  state_.server_address = ends->server_address;
  state_.server_port = ends->server_port;
  if (ends->is_local) {
    state_.client = local_client();
  } else {
    state_.client = {.address = ends->client_address, .port = ends->client_port};
  }
  const StreamResult<void> ended = co_await converse();
  if (!ended) {
    if (ended.error() == StreamEnd::kStopped) {
      co_await send(unavailable("4.3.2", "Service shutting down"));
      co_await flush();
    } else {
      const bool is_timeout = ended.error() == StreamEnd::kTimeout;
      end_reason_ = is_timeout ? "timeout" : "lost connection";
      log_end(is_timeout);
      if (is_timeout) {
        co_await send(unavailable("4.4.2", "Error: timeout exceeded"));
        co_await flush();
      }
    }
  }
  end_transaction();
  if (transcript_.is_wanted()) co_await report_errors();
  if (service_.transcripts() != nullptr) service_.transcripts()->finish(std::move(transcript_));
  log(Severity::kInfo, concat("disconnect from ", client_text(), statistics_.to_string()));
  co_await stream_.close();
}

asio::awaitable<StreamResult<void>> SmtpSession::converse() {
  if (const StreamResult<void> greeted = co_await greet(); !greeted) co_return greeted;
  while (!is_over_) {
    if (errors_.must_disconnect()) {
      end_reason_ = "too many errors";
      co_await send(reply_to_too_many_errors(service_.options().myhostname));
      log(Severity::kInfo, concat("too many errors after ", where_, " from ", client_text()));
      break;
    }
    const StreamResult<ReceivedLine> line = co_await receive_line(reader_);
    if (!line) co_return tl::make_unexpected(line.error());
    if (const StreamResult<void> done = co_await command(line->text, line->has_bare_newline); !done)
      co_return done;
    if (deadline_) deadline_->start();
  }
  co_return co_await flush();
}

asio::awaitable<StreamResult<SmtpSession::ReceivedLine>> SmtpSession::receive_line(CommandReader& reader) {
  for (;;) {
    std::string_view input = input_;
    if (const std::optional<CommandInput> line = reader.read(input)) {
      ReceivedLine received{.text = std::string(line->text), .has_bare_newline = line->has_bare_newline};
      input_.erase(0, input_.size() - input.size());
      transcript_.received(received.text);
      if (line->is_too_long)
        log(Severity::kWarning,
            concat(client_text(), ": request longer than ", std::to_string(reader.limit()), ": ",
                   received.text.substr(0, kShownOfLongLine), "..."));
      co_return received;
    }
    input_.clear();
    if (is_stopping_ && !protocol_.has_sender) co_return tl::make_unexpected(StreamEnd::kStopped);
    const StreamResult<std::string_view> more = co_await receive();
    if (!more) co_return tl::make_unexpected(more.error());
    input_ = *more;
  }
}

/// Who may say that somebody else is the client has that right as the one who is said to be it; who may only
/// tell of other clients, as the one who did connect.
void SmtpSession::update_rights() {
  const Result<bool> may_use_xclient = service_.may_use_xclient(state_.client);
  protocol_.may_use_xclient = may_use_xclient && *may_use_xclient;
  const Result<bool> may_use_verp = service_.may_use_verp(state_.client);
  protocol_.may_use_verp = may_use_verp && *may_use_verp;
}

asio::awaitable<StreamResult<void>> SmtpSession::greet() {
  std::optional<Reply> refusal = co_await meet_client();
  update_offers();
  if (is_known_ && service_.tls().is_wrapper()) {
    if (const StreamResult<void> wrapped = co_await wrap(); !wrapped || is_over_) co_return wrapped;
  }
  if (!refusal) refusal = co_await refuse_early_input();
  if (refusal) {
    is_over_ = true;
    co_return co_await send(std::move(*refusal));
  }
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kConnect)) {
    deny();
    co_return co_await send(*reply);
  }
  const Reply reply = co_await greeting_after_filters();
  co_return co_await send(reply);
}

asio::awaitable<Reply> SmtpSession::greeting_after_filters() {
  milters_.reset();
  milters_ =
      SmtpMilters::open(co_await asio::this_coro::executor, service_, state_, limited_client_.connections());
  std::optional<Reply> reply;
  if (milters_) reply = co_await milters_->connect();
  if (reply) transcript_.note(reply->error_classes());
  const std::string& host = service_.options().myhostname;
  if (reply && reply->closes_connection())
    co_return Reply(421, "", concat(host, " Service unavailable - try again later"));
  // The client may go on, and hears why when it sends mail. A filter that is away may be back then.
  if (reply && reply->code() >= 500)
    co_return Reply(554, "", concat(host, " ESMTP not accepting connections"));
  co_return greeting(service_.options());
}

asio::awaitable<StreamResult<void>> SmtpSession::command(std::string text, bool has_bare_newline) {
  const ServerOptions& options = service_.options();
  if (has_bare_newline && bare_newline_ == BareNewline::kReject) {
    is_over_ = true;
    log_rejected(where_, kBareNewlineText);
    co_return co_await send(reply_to_bare_newline(options));
  }
  if (std::optional<Reply> reply = filter_command(text)) co_return co_await send(std::move(*reply));
  const CommandLine line(text);
  if (line.words().empty()) co_return co_await send(reply_to_empty_line());
  if (options.smtputf8_enable && !libmaps::is_utf8(text)) co_return co_await send(reply_to_bad_utf8());
  if (const Result<bool> is_noop = service_.is_noop_command(line.name()); is_noop && *is_noop) {
    const Reply reply(250, "2.0.0", "Ok");
    co_return co_await send(reply);
  }
  const Command* const found = find_command(line.name());
  if (is_watched_) log_command(line);
  if (found == nullptr) {
    where_ = "UNKNOWN";
    statistics_.count_unknown();
    const Result<bool> is_listed = service_.is_forbidden_command(line.name());
    const bool is_forbidden = line.is_message_header() || (is_listed && *is_listed);
    if (is_forbidden)
      log(Severity::kWarning,
          concat("non-SMTP command from ", client_text(), ": ", escape(text.substr(0, 100))));
    if (milters_ && !is_forbidden && !is_denied_) {
      const std::optional<Reply> filtered = co_await milters_->unknown(std::string(line.name()));
      if (filtered) {
        transcript_.note(ErrorClass::kProtocol);
        co_return co_await send(*filtered);
      }
    }
    // GCC 12 destroys what a conditional in a co_await makes twice.
    const Reply reply = is_forbidden ? reply_to_forbidden_command()
                        : is_denied_ ? access_denied()
                                     : reply_to_unknown_command();
    co_return co_await send(reply);
  }
  if (is_denied_ && found->verb != Verb::kQuit) {
    statistics_.count(found->verb, false);
    co_return co_await send(access_denied());
  }
  where_ = found->name;
  command_text_ = text;
  const bool has_more_input = !input_.empty() || reader_.has_pending();
  const bool may_pipeline = state_.protocol == "ESMTP" && !protocol_.discarded.has(EhloKeyword::kPipelining);
  if (has_more_input && forbids_more_input(*found, may_pipeline)) {
    if (std::optional<Reply> reply = refuse_improper_input()) {
      statistics_.count(found->verb, false);
      co_return co_await send(std::move(*reply));
    }
  }
  if (found->is_junk) errors_.count_junk_command();
  if (std::optional<Reply> reply = refuse_counted(*found, line)) {
    statistics_.count(found->verb, false);
    co_return co_await send(std::move(*reply));
  }
  RequestResult request = parse_request(*found, line, options, protocol_);
  if (!request) {
    log_refused_request(found->verb, request.error(), line);
    statistics_.count(found->verb, false);
    co_return co_await send(request.error());
  }
  if (milters_) {
    arguments_.clear();
    for (std::size_t i = 2; i < line.words().size(); ++i) arguments_.emplace_back(line.words()[i].text);
  }
  co_return co_await carry_out(*found, std::move(*request));
}

asio::awaitable<StreamResult<void>> SmtpSession::carry_out(const Command& command, Request request) {
  std::optional<Reply> reply;
  const auto lost = [&](StreamEnd end) {
    statistics_.count(command.verb, false);
    return tl::make_unexpected(end);
  };
  if (std::holds_alternative<DataRequest>(request)) {
    StreamResult<Reply> done = co_await receive_data();
    if (!done) co_return lost(done.error());
    reply = std::move(*done);
  } else if (const auto* const chunk = std::get_if<BdatRequest>(&request)) {
    StreamResult<Reply> done = co_await receive_chunk(*chunk);
    if (!done) co_return lost(done.error());
    reply = std::move(*done);
  } else if (const auto* const helo = std::get_if<HeloRequest>(&request)) {
    reply = co_await handle(*helo);
  } else if (const auto* const mail = std::get_if<MailRequest>(&request)) {
    reply = co_await handle(*mail);
  } else if (const auto* const rcpt = std::get_if<RcptRequest>(&request)) {
    reply = co_await handle(*rcpt);
  } else if (const auto* const vrfy = std::get_if<VrfyRequest>(&request)) {
    reply = co_await handle(*vrfy);
  } else if (const auto* const etrn = std::get_if<EtrnRequest>(&request)) {
    reply = co_await handle(*etrn);
  } else if (const auto* const xclient = std::get_if<XclientRequest>(&request)) {
    reply = co_await handle(*xclient);
  } else if (const auto* const xforward = std::get_if<XforwardRequest>(&request)) {
    reply = handle(*xforward);
  } else if (std::holds_alternative<QuitRequest>(request)) {
    is_over_ = true;
    reply = Reply(221, "2.0.0", "Bye");
  } else if (std::holds_alternative<RsetRequest>(request)) {
    end_transaction();
    reply = Reply(250, "2.0.0", "Ok");
  } else if (std::holds_alternative<StarttlsRequest>(request)) {
    co_return co_await start_tls();
  } else if (const auto* const auth = std::get_if<AuthRequest>(&request)) {
    StreamResult<Reply> done = co_await authenticate(*auth);
    if (!done) co_return lost(done.error());
    reply = std::move(*done);
  } else {
    reply = Reply(250, "2.0.0", "Ok");
  }
  // XCLIENT starts the session anew before it is counted.
  statistics_.count(command.verb, !reply->is_error() && command.verb != Verb::kXclient);
  co_return co_await send(std::move(*reply));
}

asio::awaitable<std::optional<Reply>> SmtpSession::refused(SmtpStage stage) {
  state_.stage = stage;
  state_.queue_id = transaction_.queue_id;
  const Verdict verdict = co_await service_.access().check(state_, memory_);
  for (const std::string& line : verdict.log) log(Severity::kInfo, line);
  transaction_.actions.add(verdict.actions);
  state_.is_held = transaction_.actions.hold;
  state_.is_discarded = transaction_.actions.discard;
  if (verdict.closes_session) is_over_ = true;
  if (verdict.kind != VerdictKind::kReject) co_return std::nullopt;
  co_return parse_reply(verdict.reply, verdict.error_class);
}

void SmtpSession::end_transaction() {
  clear_transaction();
  forwarded_ = {};
}

void SmtpSession::clear_transaction() {
  if (!state_.instance.empty()) service_.runtime().policy.release(state_.instance);
  state_.instance.clear();
  if (milters_) milters_->abort();
  transaction_ = {};
  protocol_.has_sender = protocol_.is_utf8_message = false;
  protocol_.is_in_chunks = protocol_.is_chunk_failed = false;
  protocol_.recipients = 0;
  state_.sender.reset();
  state_.sasl.sender.clear();
  state_.recipient.reset();
  state_.recipient_count = 0;
  state_.queue_id.clear();
  state_.is_held = state_.is_discarded = false;
  memory_.sender.reset();
}

asio::awaitable<StreamResult<void>> SmtpSession::send(Reply reply) {
  transcript_.note(reply.error_classes());
  if (reply.is_error()) {
    finish_refusal(reply);
    errors_.count_error();
    if (const auto delay = errors_.delay(); delay.count() > 0) {
      asio::steady_timer timer(co_await asio::this_coro::executor, delay);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
  if (reply.closes_connection()) is_over_ = true;
  const std::size_t before = output_.size();
  reply.append_to(output_);
  const std::string_view said = std::string_view(output_).substr(before);
  transcript_.sent(said);
  if (is_watched_) log_reply(said);
  if (output_.size() >= kOutputLimit) co_return co_await flush();
  co_return StreamResult<void>();
}

asio::awaitable<StreamResult<void>> SmtpSession::flush() {
  const std::string output = std::exchange(output_, {});
  if (output.empty()) co_return StreamResult<void>();
  co_return co_await stream_.write(output);
}

asio::awaitable<StreamResult<std::string_view>> SmtpSession::receive() {
  // All replies to a group of commands go out together, when the server has nothing more to do.
  if (const StreamResult<void> sent = co_await flush(); !sent) co_return tl::make_unexpected(sent.error());
  if (!deadline_) co_return co_await stream_.read();
  const auto start = std::chrono::steady_clock::now();
  stream_.set_deadline(start + deadline_->left());
  const StreamResult<std::string_view> input = co_await stream_.read();
  stream_.set_deadline(std::nullopt);
  deadline_->spend(std::chrono::steady_clock::now() - start);
  co_return input;
}

}  // namespace mta
