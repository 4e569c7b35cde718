#include "tools/mta/smtp/smtp_session.h"

#include <unistd.h>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <ctime>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "libmaps/utf8.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/mail_date.h"
#include "tools/mta/smtp/client_name.h"
#include "tools/mta/smtp/ehlo.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

/// How much a client may send ahead while it is not read: a group of pipelined commands.
constexpr std::size_t kOutputLimit = 8192;

/// A reply of the restriction engine, "554 5.7.1 text".
Reply to_reply(std::string_view text) {
  const int code = std::stoi(std::string(text.substr(0, 3)));
  text.remove_prefix(std::min<std::size_t>(4, text.size()));
  const std::size_t length = status_length(text);
  const std::string_view status = text.substr(0, length);
  text.remove_prefix(std::min(length + (length > 0 ? 1 : 0), text.size()));
  return {code, status, text};
}

/// RFC 6531, section 4.3: "ESMTPS" becomes "UTF8SMTPS".
std::string utf8_protocol(std::string_view protocol) {
  return concat("UTF8SMTP", protocol.substr(std::min(protocol.size(), std::string_view("ESMTP").size())));
}

/// BODY, as the attribute `encoding` of a queue file has it.
std::string encoding_of(BodyType body) {
  if (body == BodyType::k8BitMime) return "8bit";
  return body == BodyType::k7Bit ? "7bit" : "";
}

/// "IPv6:2001:db8::1" (RFC 5321, 4.1.3)
std::string literal(std::string_view address) {
  return concat(address.find(':') == std::string_view::npos ? "" : "IPv6:", address);
}

}  // namespace

SmtpSession::SmtpSession(asio::ip::tcp::socket socket, SmtpService& service)
    : stream_(std::move(socket)),
      service_(service),
      errors_(service.error_limits()),
      reader_(service.options().line_length_limit, service.options().smtpd_forbid_bare_newline,
              service.options().smtputf8_enable) {}

void SmtpSession::stop() {
  is_stopping_ = true;
  if (!protocol_.has_sender) stream_.interrupt();
}

std::string SmtpSession::client_text() const {
  return concat(state_.client.name, "[", state_.client.address, "]");
}

Reply SmtpSession::unavailable(std::string_view status, std::string_view text) const {
  return {421, status, concat(service_.options().myhostname, " ", text)};
}

asio::awaitable<void> SmtpSession::run() {
  asio::error_code failure;
  const auto peer = stream_.socket().remote_endpoint(failure);
  const auto local = stream_.socket().local_endpoint(failure);
  if (failure) co_return;  // It is gone already.
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), failure);
  stream_.set_time_limit(service_.timeout());
  state_.server_address = local.address().to_string();
  state_.server_port = std::to_string(local.port());
  std::string address = peer.address().to_string();
  std::string port = std::to_string(peer.port());
  if (service_.looks_up_names()) {
    state_.client = co_await look_up_client(std::move(address), std::move(port), service_.runtime().hosts,
                                            service_.runtime().resolver);
  } else {
    state_.client = {.address = std::move(address), .port = std::move(port)};
  }
  log(Severity::kInfo, concat("connect from ", client_text()));
  const StreamResult<void> ended = co_await converse();
  if (!ended) {
    if (ended.error() == StreamEnd::kStopped) {
      co_await send(unavailable("4.3.2", "Service shutting down"));
      co_await flush();
    } else {
      const bool is_timeout = ended.error() == StreamEnd::kTimeout;
      const std::string size =
          where_ == "DATA" ? concat(" (", std::to_string(content_received_), " bytes)") : "";
      log(Severity::kInfo, concat(is_timeout ? "timeout" : "lost connection", " after ", where_, size,
                                  " from ", client_text()));
      if (is_timeout) {
        co_await send(unavailable("4.4.2", "Error: timeout exceeded"));
        co_await flush();
      }
    }
  }
  end_transaction();
  log(Severity::kInfo, concat("disconnect from ", client_text(), statistics_.to_string()));
  co_await stream_.close();
}

asio::awaitable<StreamResult<void>> SmtpSession::converse() {
  if (const StreamResult<void> greeted = co_await greet(); !greeted) co_return greeted;
  while (!is_over_) {
    if (errors_.must_disconnect()) {
      co_await send(reply_to_too_many_errors(service_.options().myhostname));
      log(Severity::kInfo, concat("too many errors after ", where_, " from ", client_text()));
      break;
    }
    std::string_view input = input_;
    const std::optional<CommandInput> line = reader_.read(input);
    if (!line) {
      input_.clear();
      if (is_stopping_ && !protocol_.has_sender) co_return tl::make_unexpected(StreamEnd::kStopped);
      const StreamResult<std::string_view> more = co_await receive();
      if (!more) co_return tl::make_unexpected(more.error());
      input_ = *more;
      continue;
    }
    const std::string text(line->text);
    const bool has_bare_newline = line->has_bare_newline;
    input_.erase(0, input_.size() - input.size());
    if (const StreamResult<void> done = co_await command(text, has_bare_newline); !done) co_return done;
  }
  co_return co_await flush();
}

void SmtpSession::read_privileges() {
  const Result<bool> may_use_xclient = service_.may_use_xclient(state_.client);
  protocol_.may_use_xclient = may_use_xclient && *may_use_xclient;
  const Result<bool> may_use_xforward = service_.may_use_xforward(state_.client);
  protocol_.may_use_xforward = may_use_xforward && *may_use_xforward;
  const Result<bool> may_use_verp = service_.may_use_verp(state_.client);
  protocol_.may_use_verp = may_use_verp && *may_use_verp;
}

asio::awaitable<StreamResult<void>> SmtpSession::greet() {
  read_privileges();
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kConnect)) {
    is_over_ = true;
    co_return co_await send(*reply);
  }
  const Reply reply = co_await greeting_after_filters();
  co_return co_await send(reply);
}

asio::awaitable<Reply> SmtpSession::greeting_after_filters() {
  milters_.reset();
  milters_ = SmtpMilters::open(co_await asio::this_coro::executor, service_, state_);
  std::optional<Reply> reply;
  if (milters_) reply = co_await milters_->connect();
  const std::string& host = service_.options().myhostname;
  if (reply && reply->closes_connection())
    co_return Reply(421, "", concat(host, " Service unavailable - try again later"));
  // The client may go on, and hears why when it sends mail. A filter that is away may be back then.
  if (reply && reply->code() >= 500)
    co_return Reply(554, "", concat(host, " ESMTP not accepting connections"));
  co_return greeting(service_.options());
}

asio::awaitable<StreamResult<void>> SmtpSession::command(std::string_view text, bool has_bare_newline) {
  const ServerOptions& options = service_.options();
  if (has_bare_newline && options.smtpd_forbid_bare_newline == BareNewline::kReject) {
    is_over_ = true;
    co_return co_await send(reply_to_bare_newline(options));
  }
  const CommandLine line(text);
  if (line.words().empty()) co_return co_await send(reply_to_empty_line());
  if (options.smtputf8_enable && !libmaps::is_utf8(text)) co_return co_await send(reply_to_bad_utf8());
  if (const Result<bool> is_noop = service_.is_noop_command(line.name()); is_noop && *is_noop) {
    const Reply reply(250, "2.0.0", "Ok");
    co_return co_await send(reply);
  }
  const Command* const found = find_command(line.name());
  if (found == nullptr) {
    where_ = "UNKNOWN";
    statistics_.count_unknown();
    const Result<bool> is_listed = service_.is_forbidden_command(line.name());
    const bool is_forbidden = line.is_message_header() || (is_listed && *is_listed);
    if (is_forbidden)
      log(Severity::kWarning, concat("non-SMTP command from ", client_text(), ": ", text.substr(0, 100)));
    if (milters_ && !is_forbidden) {
      const std::optional<Reply> filtered = co_await milters_->unknown(std::string(line.name()));
      if (filtered) co_return co_await send(*filtered);
    }
    // GCC 12 destroys what a conditional in a co_await makes twice.
    const Reply reply = is_forbidden ? reply_to_forbidden_command() : reply_to_unknown_command();
    co_return co_await send(reply);
  }
  where_ = found->name;
  command_text_ = text;
  const bool has_more_input = !input_.empty() || reader_.has_pending();
  const bool may_pipeline = state_.protocol == "ESMTP" && !protocol_.discarded.has(EhloKeyword::kPipelining);
  if (has_more_input && forbids_more_input(*found, may_pipeline)) {
    state_.has_unauthorized_pipelining = true;
    if (options.smtpd_forbid_unauth_pipelining) {
      is_over_ = true;
      log(Severity::kInfo, concat("improper command pipelining after ", found->name, " from ", client_text(),
                                  ": ", std::string_view(input_).substr(0, 100)));
      statistics_.count(found->verb, false);
      co_return co_await send(reply_to_unauthorized_pipelining());
    }
  }
  if (found->is_junk) errors_.count_junk_command();
  RequestResult request = parse_request(*found, line, options, protocol_);
  if (!request) {
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
  if (std::holds_alternative<DataRequest>(request)) {
    StreamResult<Reply> done = co_await receive_data();
    if (!done) co_return tl::make_unexpected(done.error());
    reply = std::move(*done);
  } else if (const auto* const chunk = std::get_if<BdatRequest>(&request)) {
    StreamResult<Reply> done = co_await receive_chunk(*chunk);
    if (!done) co_return tl::make_unexpected(done.error());
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
    reply = Reply(454, "4.7.0", "TLS not available due to local problem");
  } else if (std::holds_alternative<AuthRequest>(request)) {
    reply = Reply(454, "4.7.0", "Temporary authentication failure");
  } else {
    reply = Reply(250, "2.0.0", "Ok");
  }
  statistics_.count(command.verb, !reply->is_error());
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
  co_return to_reply(verdict.reply);
}

asio::awaitable<Reply> SmtpSession::handle(const HeloRequest& request) {
  end_transaction();
  state_.helo = request.name;
  const std::string protocol = std::exchange(state_.protocol, request.is_extended ? "ESMTP" : "SMTP");
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kHelo)) {
    state_.helo.reset();
    co_return *reply;
  }
  protocol_.has_helo = true;
  if (milters_) {
    const std::string_view name = request.is_extended ? "EHLO" : "HELO";
    const std::optional<Reply> reply = co_await milters_->helo(name, protocol);
    if (reply && reply->closes_connection()) co_return *reply;
    if (reply && reply->code() >= 500 && request.is_extended)
      co_return Reply(250, "", concat(service_.options().myhostname, "\nENHANCEDSTATUSCODES"));
  }
  co_return request.is_extended ? ehlo_reply(service_.options(), protocol_, "")
                                : helo_reply(service_.options());
}

asio::awaitable<Reply> SmtpSession::handle(const MailRequest& request) {
  end_transaction();
  const Result<bool> has_room = service_.has_room();
  if (!has_room || !*has_room) {
    log(Severity::kWarning, has_room ? "not enough free space in mail queue" : has_room.error().message);
    co_return Reply(452, "4.3.1", "Insufficient system storage");
  }
  state_.sender = request.sender;
  state_.size = static_cast<std::int64_t>(request.size);
  state_.instance = concat(std::to_string(::getpid()), ".", std::to_string(std::time(nullptr)));
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kMail)) {
    end_transaction();
    co_return *reply;
  }
  if (milters_) {
    if (const std::optional<Reply> reply = co_await milters_->mail(arguments_, transaction_.actions)) {
      end_transaction();
      co_return *reply;
    }
  }
  errors_.start_message();
  transaction_.mail = request;
  transaction_.mail_command = command_text_;
  protocol_.has_sender = true;
  protocol_.is_utf8_message = request.is_utf8;
  co_return Reply(250, "2.1.0", "Ok");
}

asio::awaitable<Reply> SmtpSession::handle(const RcptRequest& request) {
  const auto judgement = errors_.judge_recipient(protocol_.recipients);
  if (judgement != ErrorCounter::Verdict::kAccept) co_return reply_to_too_many_recipients();
  state_.recipient = request.recipient;
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kRcpt)) {
    if (milters_) co_await milters_->rejected_recipient(arguments_, *reply);
    co_return *reply;
  }
  if (milters_) {
    const std::optional<Reply> reply = co_await milters_->recipient(arguments_, transaction_.actions);
    if (reply) co_return *reply;
  }
  std::optional<Reply> refusal;
  if (!service_.proxy().endpoint.empty()) {
    refusal = co_await offer_to_proxy();
  } else if (!transaction_.intake) {
    refusal = open_intake();
  }
  if (refusal) co_return *refusal;
  const std::string external = quote_address(request.recipient);
  transaction_.recipients.push_back({.address = external,
                                     .original = request.recipient,
                                     .dsn_original = request.original_recipient.empty()
                                                         ? concat("rfc822;", request.recipient)
                                                         : request.original_recipient,
                                     .dsn_notify = static_cast<int>(request.notify)});
  state_.recipient_count = static_cast<int>(++protocol_.recipients);
  co_return Reply(250, "2.1.5", "Ok");
}

std::optional<Reply> SmtpSession::open_intake() {
  Result<std::unique_ptr<MessageIntake>> intake = MessageIntake::open(service_.intake());
  if (!intake) {
    log(Severity::kWarning, intake.error().message);
    return Reply(451, "4.3.0", "Error: queue file write error");
  }
  transaction_.intake = std::move(*intake);
  transaction_.queue_id = transaction_.intake->id();
  log(Severity::kInfo,
      concat(transaction_.queue_id, ": client=", client_text(), forwarded_.log_text(state_)));
  return std::nullopt;
}

ForwardedAttributes SmtpSession::attributes_to_forward() {
  const auto known = [](const std::string& said, const std::string& own) {
    const std::string& value = said.empty() ? own : said;
    return value == "unknown" ? std::string() : value;
  };
  const Result<bool> is_local = service_.is_local_client(state_.client, state_.sasl);
  const std::string address = known(forwarded_.address, state_.client.address);
  return {{"NAME", known(forwarded_.name, state_.client.name)},
          {"ADDR", address.empty() ? address : literal(address)},
          {"PORT", known(forwarded_.port, state_.client.port)},
          {"HELO", known(forwarded_.helo, state_.helo.value_or(""))},
          {"IDENT", forwarded_.ident},
          {"PROTO", known(forwarded_.protocol, state_.protocol)},
          {"SOURCE", known(forwarded_.source, is_local && *is_local ? "LOCAL" : "REMOTE")}};
}

asio::awaitable<std::optional<Reply>> SmtpSession::offer_to_proxy() {
  if (!transaction_.proxy) {
    const auto executor = co_await asio::this_coro::executor;
    transaction_.proxy = std::make_unique<ProxyFilter>(
        executor, service_.proxy(), service_.runtime().queue, attributes_to_forward(),
        [this](std::string_view text) { log(Severity::kWarning, text); });
  }
  if (!transaction_.proxy->is_started()) {
    std::optional<Reply> refusal = co_await transaction_.proxy->start(transaction_.mail_command);
    if (refusal) co_return refusal;
    log(Severity::kInfo, concat("NOQUEUE: client=", client_text(), forwarded_.log_text(state_)));
  }
  co_return co_await transaction_.proxy->recipient(command_text_);
}

Reply SmtpSession::handle(const XforwardRequest& request) {
  forwarded_.take(request);
  return {250, "2.0.0", "Ok"};
}

asio::awaitable<Reply> SmtpSession::handle(const VrfyRequest& request) {
  state_.recipient = request.address;
  const std::optional<Reply> reply = co_await refused(SmtpStage::kVrfy);
  co_return reply ? *reply : Reply(252, "2.0.0", request.text);
}

asio::awaitable<Reply> SmtpSession::handle(const EtrnRequest& request) {
  state_.etrn_domain = request.domain;
  const std::optional<Reply> reply = co_await refused(SmtpStage::kEtrn);
  co_return reply ? *reply : Reply(459, "", concat("<", request.domain, ">: service unavailable"));
}

asio::awaitable<Reply> SmtpSession::handle(const XclientRequest& request) {
  end_transaction();
  const auto text_of = [](const ClientAttribute& attribute) {
    return attribute.state == ClientAttributeState::kKnown ? attribute.value : "unknown";
  };
  const auto status_of = [](const ClientAttribute& attribute) {
    if (attribute.state == ClientAttributeState::kKnown) return NameStatus::kFound;
    return attribute.state == ClientAttributeState::kUnavailable ? NameStatus::kNotFound
                                                                 : NameStatus::kTemporaryFailure;
  };
  protocol_.has_helo = false;
  for (const ClientAttribute& attribute : request.attributes) {
    switch (attribute.name) {
      case ClientAttributeName::kName:
        state_.client.name = text_of(attribute);
        state_.client.name_status = status_of(attribute);
        // Until REVERSE_NAME says otherwise.
        state_.client.reverse_name = state_.client.name;
        state_.client.reverse_name_status = state_.client.name_status;
        break;
      case ClientAttributeName::kReverseName:
        state_.client.reverse_name = text_of(attribute);
        state_.client.reverse_name_status = status_of(attribute);
        break;
      case ClientAttributeName::kAddr:
        state_.client.address = text_of(attribute);
        break;
      case ClientAttributeName::kPort:
        state_.client.port = text_of(attribute);
        break;
      case ClientAttributeName::kHelo:
        state_.helo = text_of(attribute);
        break;
      case ClientAttributeName::kProto:
        state_.protocol = text_of(attribute);
        break;
      case ClientAttributeName::kLogin:
        state_.sasl = {.is_authenticated = attribute.state == ClientAttributeState::kKnown,
                       .method = "XCLIENT",
                       .username = attribute.value};
        break;
      case ClientAttributeName::kDestAddr:
        state_.server_address = text_of(attribute);
        break;
      case ClientAttributeName::kDestPort:
        state_.server_port = text_of(attribute);
        break;
      case ClientAttributeName::kIdent:
      case ClientAttributeName::kSource:
        break;  // Of XFORWARD.
    }
  }
  memory_ = {};
  read_privileges();
  const std::optional<Reply> reply = co_await refused(SmtpStage::kConnect);
  if (reply) co_return *reply;
  co_return co_await greeting_after_filters();
}

std::string SmtpSession::received_header() const {
  std::string header = concat("Received: from ", state_.helo.value_or(state_.client.name), " (",
                              state_.client.name, " [", literal(state_.client.address), "])\n\tby ",
                              service_.options().myhostname, " (", service_.mail_name(), ") with ",
                              transaction_.mail.is_utf8 ? utf8_protocol(state_.protocol) : state_.protocol,
                              transaction_.queue_id.empty() ? "" : " id ", transaction_.queue_id);
  if (transaction_.recipients.size() == 1) {
    header += concat("\n\tfor <", transaction_.recipients.front().address, ">; ");
  } else {
    header += ";\n\t";
  }
  return header + mail_date(std::time(nullptr));
}

void SmtpSession::begin_content() {
  transaction_.has_begun = true;
  if (!transaction_.proxy) {
    begin_message();
    transaction_.lines = std::make_unique<MailboxLines>(*transaction_.intake);
    return;
  }
  // What the filter passes on gets a header of its own.
  std::vector<std::string> headers = transaction_.actions.prepend;
  if (!forwarded_.is_known()) headers.push_back(received_header());
  for (const std::string& header : headers) {
    std::string_view rest = header;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      transaction_.proxy->line(line, false);
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
  }
  transaction_.lines = std::make_unique<MailboxLines>(*transaction_.proxy);
}

void SmtpSession::begin_message() {
  const Result<bool> is_local = service_.is_local_client(state_.client, state_.sasl);
  const std::string helo = state_.helo.value_or("");
  // Who forwards one attribute knows no others.
  const auto forwarded = [this](const std::string& said, const std::string& own) {
    if (!forwarded_.is_known()) return own;
    return said.empty() ? std::string("unknown") : said;
  };
  const bool is_from_here = forwarded_.source.empty()
                                ? is_local && *is_local
                                : libconf::equals_ignoring_case(forwarded_.source, "LOCAL");
  const bool is_ipv6 = state_.client.address.find(':') != std::string::npos;
  transaction_.intake->begin(
      {.sender = transaction_.mail.sender,
       .recipients = transaction_.recipients,
       .envelope_id = transaction_.mail.envelope_id,
       .return_flags = transaction_.mail.dsn_return == DsnReturn::kFull      ? kReturnFull
                       : transaction_.mail.dsn_return == DsnReturn::kHeaders ? kReturnHeaders
                                                                             : 0,
       .verp_delimiters = transaction_.mail.verp_delimiters,
       .encoding = encoding_of(transaction_.mail.body),
       .is_utf8 = transaction_.mail.is_utf8,
       .context = is_from_here ? RewriteContext::kLocal : RewriteContext::kRemote,
       .attributes = {{"log_client_name", forwarded(forwarded_.name, state_.client.name)},
                      {"log_client_address", forwarded(forwarded_.literal_address(), state_.client.address)},
                      {"log_client_port", forwarded(forwarded_.port, state_.client.port)},
                      {"log_message_origin", forwarded_.client(state_)},
                      {"log_helo_name", forwarded_.is_known() ? forwarded_.helo : helo},
                      {"log_protocol_name", forwarded(forwarded_.protocol, state_.protocol)},
                      {"client_name", state_.client.name},
                      {"reverse_client_name", state_.client.reverse_name},
                      {"client_address", state_.client.address},
                      {"client_port", state_.client.port},
                      {"server_address", state_.server_address},
                      {"server_port", state_.server_port},
                      {"helo_name", helo},
                      {"protocol_name", state_.protocol},
                      {"client_address_type", is_ipv6 ? "10" : "2"}},
       .log_ident = forwarded_.ident,
       .client = client_text(),
       .protocol = state_.protocol,
       .helo = helo,
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
                     .bare_newline = options.smtpd_forbid_bare_newline},
                    *transaction_.lines);
  content_received_ = 0;
  for (;;) {
    std::string_view input = input_;
    const bool is_complete = reader.read(input);
    input_.erase(0, input_.size() - input.size());
    if (transaction_.proxy) co_await transaction_.proxy->send();
    if (is_complete) break;
    const StreamResult<std::string_view> more = co_await receive();
    if (!more) co_return tl::make_unexpected(more.error());
    content_received_ += more->size();
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
                                                    .bare_newline = options.smtpd_forbid_bare_newline},
                                      *transaction_.lines);
  }
  if (!refusal && !transaction_.chunks->fits(request.size)) refusal = reply_to_large_chunk();
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
    input_ = *more;
  }
  protocol_.is_in_chunks = true;
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
  if (summary.has_bare_newline && options.smtpd_forbid_bare_newline == BareNewline::kNote)
    statistics_.note_bare_newline();
  std::optional<Reply> reply;
  if (summary.has_bare_newline && options.smtpd_forbid_bare_newline == BareNewline::kReject) {
    is_over_ = true;
    reply = reply_to_bare_newline(options);
  } else if (summary.is_too_big) {
    log(Severity::kWarning, concat(transaction_.queue_id, ": queue file size limit exceeded"));
    reply = reply_to_large_message();
  } else {
    state_.size = static_cast<std::int64_t>(summary.size);
    reply = co_await refused(SmtpStage::kEndOfData);
  }
  if (!reply && transaction_.proxy) {
    reply = co_await transaction_.proxy->finish();
    if (!reply->is_error()) errors_.forgive();
  } else if (!reply) {
    const IntakeResult result = co_await transaction_.intake->finish();
    if (result.kind == IntakeKind::kRefused) {
      reply = Reply(result.refusal.code, result.refusal.status, result.refusal.text);
    } else {
      reply = Reply(250, "2.0.0", concat(taken, transaction_.queue_id));
      errors_.forgive();
    }
  }
  if (transaction_.proxy) log_proxy(*reply);
  forwarded_ = {};
  end_transaction();
  co_return *reply;
}

void SmtpSession::log_proxy(const Reply& reply) {
  std::string text;
  reply.append_to(text);
  text.resize(text.size() - std::string_view("\r\n").size());
  log(Severity::kInfo,
      concat(reply.is_error() ? "proxy-reject" : "proxy-accept", ": END-OF-MESSAGE: ", text, "; from=<",
             quote_address(transaction_.mail.sender), "> to=<", transaction_.recipients.front().address,
             "> proto=", state_.protocol, state_.helo ? concat(" helo=<", *state_.helo, ">") : ""));
}

void SmtpSession::end_transaction() {
  if (milters_) milters_->abort();
  transaction_ = {};
  protocol_.has_sender = protocol_.is_utf8_message = false;
  protocol_.is_in_chunks = protocol_.is_chunk_failed = false;
  protocol_.recipients = 0;
  state_.sender.reset();
  state_.recipient.reset();
  state_.recipient_count = 0;
  state_.queue_id.clear();
  state_.is_held = state_.is_discarded = false;
  memory_.sender.reset();
}

asio::awaitable<StreamResult<void>> SmtpSession::send(Reply reply) {
  if (reply.is_error()) {
    errors_.count_error();
    if (const auto delay = errors_.delay(); delay.count() > 0) {
      asio::steady_timer timer(co_await asio::this_coro::executor, delay);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
  if (reply.closes_connection()) is_over_ = true;
  reply.append_to(output_);
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
  co_return co_await stream_.read();
}

}  // namespace mta
