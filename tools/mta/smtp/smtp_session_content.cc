// SmtpSession: DATA and BDAT, from the envelope to a message in the queue.
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"
#include "tools/mta/content/mail_date.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

/// BODY, as the attribute `encoding` of a queue file has it.
std::string encoding_of(BodyType body) {
  if (body == BodyType::k8BitMime) return "8bit";
  return body == BodyType::k7Bit ? "7bit" : "";
}

}  // namespace

std::string SmtpSession::session_clause() const {
  std::string clause = concat("from ", state_.helo.value_or(state_.client.name), " (", state_.client.name,
                              " [", smtp_literal(state_.client.address), "])\n\t");
  if (tls_facts_ && service_.tls().policy().adds_received_header)
    clause += concat(received_tls_comment(*tls_facts_), "\n\t");
  if (state_.sasl.is_authenticated && service_.auth().adds_header())
    clause += concat("(Authenticated sender: ", comment_text(state_.sasl.username), ")\n\t");
  return clause;
}

std::string SmtpSession::received_header() const {
  const bool hides_session = service_.options().smtpd_hide_client_session;
  std::string header = "Received: ";
  if (!hides_session) header += session_clause();
  header += concat("by ", service_.options().myhostname, " (", service_.mail_name(), ")");
  if (!hides_session) header += concat(" with ", protocol_name());
  if (!transaction_.queue_id.empty()) header += concat(" id ", transaction_.queue_id);
  if (transaction_.recipients.size() == 1) {
    header += concat("\n\tfor <", transaction_.recipients.front().address, ">; ");
  } else {
    header += ";\n\t";
  }
  return header + mail_date(std::time(nullptr));
}

std::string SmtpSession::client_line() const {
  std::string line = concat(log_id(), ": client=", client_text(), sasl_text());
  if (forwarded_.ident()) line += concat(", orig_queue_id=", *forwarded_.ident());
  if (forwarded_.has_client())
    line += concat(", orig_client=", forwarded_.origin(service_.options().smtpd_client_port_logging));
  return line;
}

/// RFC 3848, RFC 6531
std::string SmtpSession::protocol_name() const {
  if (state_.protocol != "ESMTP") return state_.protocol;
  return concat(transaction_.mail.is_utf8 ? "UTF8SMTP" : state_.protocol, state_.tls.is_encrypted ? "S" : "",
                state_.sasl.username.empty() ? "" : "A");
}

SmtpSession::LoggedClient SmtpSession::logged_client() const {
  if (forwarded_.has_client())
    return {.name = forwarded_.name(),
            .address = forwarded_.address(),
            .port = forwarded_.port(),
            .helo = forwarded_.helo(),
            .protocol = forwarded_.protocol(),
            .origin = forwarded_.origin(service_.options().smtpd_client_port_logging)};
  return {.name = state_.client.name,
          .address = state_.client.address,
          .port = state_.client.port,
          .helo = state_.helo,
          .protocol = state_.protocol,
          .origin = client_text()};
}

RewriteContext SmtpSession::rewrite_context() {
  if (forwarded_.is_local()) return *forwarded_.is_local() ? RewriteContext::kLocal : RewriteContext::kRemote;
  const Result<bool> is_local = service_.is_local_client(state_);
  if (!is_local) log(libconf::Severity::kWarning, is_local.error().message);
  return is_local && *is_local ? RewriteContext::kLocal : RewriteContext::kRemote;
}

std::vector<std::pair<std::string_view, std::string>> SmtpSession::client_attributes() const {
  const LoggedClient logged = logged_client();
  const bool is_ipv6 = state_.client.address.find(':') != std::string::npos;
  const struct {
    std::string_view name;
    std::optional<std::string> value;
  } all[] = {{"log_client_name", logged.name},
             {"log_client_address", smtp_literal(logged.address)},
             {"log_client_port", logged.port},
             {"log_message_origin", logged.origin},
             {"log_helo_name", logged.helo},
             {"log_protocol_name", logged.protocol},
             {"client_name", state_.client.name},
             {"reverse_client_name", state_.client.reverse_name},
             {"client_address", state_.client.address},
             {"client_port", state_.client.port},
             {"server_address", state_.server_address},
             {"server_port", state_.server_port},
             {"helo_name", state_.helo},
             {"protocol_name", state_.protocol},
             {"client_address_type", is_ipv6 ? "10" : "2"}};
  std::vector<std::pair<std::string_view, std::string>> known;
  for (const auto& [name, value] : all)
    if (value) known.emplace_back(name, *value);
  return known;
}

std::vector<std::pair<std::string_view, std::string>> SmtpSession::login_attributes() const {
  std::vector<std::pair<std::string_view, std::string>> attributes = {{"sasl_method", state_.sasl.method},
                                                                      {"sasl_username", state_.sasl.username},
                                                                      {"sasl_sender", state_.sasl.sender}};
  std::erase_if(attributes, [](const auto& attribute) { return attribute.second.empty(); });
  return attributes;
}

void SmtpSession::begin_content() {
  transaction_.has_begun = true;
  if (transaction_.proxy) {
    begin_proxied_content();
    return;
  }
  begin_message();
  transaction_.lines = std::make_unique<MailboxLines>(*transaction_.intake);
}

void SmtpSession::begin_message() {
  const LoggedClient logged = logged_client();
  transaction_.intake->begin({.sender = transaction_.mail.sender,
                              .recipients = transaction_.recipients,
                              .envelope_id = transaction_.mail.envelope_id,
                              .return_flags = transaction_.mail.dsn_return == DsnReturn::kFull ? kReturnFull
                                              : transaction_.mail.dsn_return == DsnReturn::kHeaders
                                                  ? kReturnHeaders
                                                  : 0,
                              .verp_delimiters = transaction_.mail.verp_delimiters,
                              .encoding = encoding_of(transaction_.mail.body),
                              .is_utf8 = transaction_.mail.is_utf8,
                              .context = rewrite_context(),
                              .log_ident = forwarded_.ident().value_or(""),
                              .login = login_attributes(),
                              .attributes = client_attributes(),
                              .client = logged.origin,
                              .protocol = logged.protocol,
                              .helo = logged.helo.value_or(""),
                              .received = received_header(),
                              .actions = transaction_.actions,
                              .filters = milters_ ? &milters_->chain() : nullptr});
}

asio::awaitable<std::optional<Reply>> SmtpSession::refused_before_content() {
  std::optional<Reply> reply = co_await refused(SmtpStage::kData);
  if (!reply && milters_)
    reply = co_await milters_->data(transaction_.recipients.front().address, transaction_.actions);
  if (!reply && transaction_.proxy) reply = co_await transaction_.proxy->data();
  co_return reply;
}

asio::awaitable<StreamResult<Reply>> SmtpSession::receive_data() {
  if (const std::optional<Reply> reply = co_await refused_before_content()) co_return *reply;
  const Reply go_on(354, "", "End data with <CR><LF>.<CR><LF>");
  if (const StreamResult<void> sent = co_await send(go_on); !sent)
    co_return tl::make_unexpected(sent.error());
  begin_content();
  const ServerOptions& options = service_.options();
  DataReader reader({.line_length_limit = options.line_length_limit,
                     .message_size_limit = options.message_size_limit,
                     .bare_newline = bare_newline_},
                    *transaction_.lines);
  content_received_ = 0;
  if (deadline_) deadline_->start();
  for (;;) {
    std::string_view input = input_;
    const bool is_complete = reader.read(input);
    input_.erase(0, input_.size() - input.size());
    if (transaction_.proxy) co_await transaction_.proxy->send();
    if (is_complete) break;
    const StreamResult<std::string_view> more = co_await receive();
    if (!more) co_return tl::make_unexpected(more.error());
    content_received_ += more->size();
    if (deadline_) deadline_->earn(more->size());
    input_ = *more;
  }
  co_return co_await end_of_message(reader.summary(), "Ok: queued as ");
}

asio::awaitable<StreamResult<Reply>> SmtpSession::receive_chunk(const BdatRequest& request) {
  const ServerOptions& options = service_.options();
  std::optional<Reply> refusal = request.refusal;
  if (!refusal && !transaction_.has_begun) refusal = co_await refused_before_content();
  if (!refusal && !transaction_.has_begun) {
    begin_content();
    transaction_.chunks =
        std::make_unique<ChunkReader>(ContentLimits{.line_length_limit = options.line_length_limit,
                                                    .message_size_limit = options.message_size_limit,
                                                    .bare_newline = bare_newline_},
                                      *transaction_.lines);
  }
  if (request.refusal) log_refused_request(Verb::kBdat, *request.refusal, CommandLine({}));
  if (!refusal && !transaction_.chunks->fits(request.size)) {
    refusal = reply_to_large_chunk();
    log_refused_request(Verb::kBdat, *refusal, CommandLine({}));
  }
  ChunkSkipper skipper(request.size);
  if (!refusal) transaction_.chunks->start(request.size, request.is_last);
  for (;;) {
    std::string_view input = input_;
    const bool is_complete = refusal ? skipper.read(input) : transaction_.chunks->read(input);
    input_.erase(0, input_.size() - input.size());
    if (transaction_.proxy) co_await transaction_.proxy->send();
    if (is_complete) break;
    const StreamResult<std::string_view> more = co_await receive();
    if (!more) co_return tl::make_unexpected(more.error());
    if (deadline_) deadline_->earn(more->size());
    input_ = *more;
  }
  protocol_.is_in_chunks = true;
  if (!refusal && transaction_.chunks->summary().has_bare_newline && bare_newline_ == BareNewline::kReject) {
    log_rejected("BDAT content", kBareNewlineText);
    refusal = reply_to_bare_newline(options);
  }
  if (refusal) {
    protocol_.is_chunk_failed = true;
    if (request.is_last) end_transaction();
    co_return *refusal;
  }
  if (!request.is_last) co_return Reply(250, "2.0.0", concat("Ok: ", std::to_string(request.size), " bytes"));
  const ContentSummary summary = transaction_.chunks->summary();
  const std::string taken = concat("Ok: ", std::to_string(summary.size), " bytes queued as ");
  co_return co_await end_of_message(summary, taken);
}

asio::awaitable<Reply> SmtpSession::end_of_message(const ContentSummary& summary, std::string_view taken) {
  const ServerOptions& options = service_.options();
  where_ = kEndOfMessage;
  if (summary.has_bare_newline && bare_newline_ == BareNewline::kNote) statistics_.note_bare_newline();
  std::optional<Reply> reply;
  if (summary.has_bare_newline && bare_newline_ == BareNewline::kReject) {
    log_rejected(kEndOfMessage, kBareNewlineText);
    reply = reply_to_bare_newline(options);
  } else if (summary.is_too_big) {
    log(libconf::Severity::kWarning, concat(log_id(), ": queue file size limit exceeded"));
    reply = reply_to_large_message();
  } else {
    state_.size = static_cast<std::int64_t>(summary.size);
    reply = co_await refused(SmtpStage::kEndOfData);
  }
  if (!reply && transaction_.proxy) {
    reply = co_await transaction_.proxy->finish();
    if (!reply->is_error()) forgive();
  } else if (!reply) {
    const IntakeResult result = co_await transaction_.intake->finish();
    if (result.kind == IntakeKind::kRefused) {
      reply =
          Reply(result.refusal.code, result.refusal.status, result.refusal.text, result.refusal.error_class);
    } else {
      reply = Reply(250, "2.0.0", concat(taken, transaction_.queue_id));
      forgive();
    }
  }
  if (transaction_.proxy) log_proxy(*reply);
  end_transaction();
  co_return *reply;
}

}  // namespace mta
