#include "tools/mta/delivery/smtp_client_session.h"

#include "libconf/text.h"
#include "tools/mta/daemon/empty_result.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

std::string_view leading_word(std::string_view text) {
  return libconf::next_word(text, libconf::kBlanks).value_or("");
}

bool offers_esmtp(const ServerReply& greeting) {
  for (std::string_view line : greeting.lines)
    while (const auto word = libconf::next_word(line, libconf::kBlanks))
      if (equals_ignoring_case(*word, "ESMTP")) return true;
  return false;
}

}  // namespace

bool SmtpClientSession::is_own_name(std::string_view name) const {
  return !options_.is_lmtp() && server_.port == kSmtpPort && equals_ignoring_case(name, options_.myhostname);
}

asio::awaitable<StreamResult<void>> SmtpClientSession::say(std::string_view commands,
                                                           std::chrono::seconds limit) {
  transcript_.sent(commands);
  co_return co_await connection_->send(commands, limit);
}

DeliveryFault SmtpClientSession::refusal(const ServerReply& reply) {
  if (reply.is_protocol_error()) transcript_.note(ErrorClass::kProtocol);
  return {.status = reply.is_success() ? "5.5.0" : reply.status,
          .text = concat("host ", server_.host(), " refused to talk to me: ", reply.text),
          .remote_server = server_.name,
          .diagnostic = reply.text};
}

DeliveryFault SmtpClientSession::loss(StreamEnd end, std::string_view while_what) {
  if (end == StreamEnd::kStopped) {
    // The server is there, but who knows what it said.
    is_usable_ = !is_greeted_;
    return {.status = "4.3.0", .text = concat("local data error while talking to ", server_.host())};
  }
  is_usable_ = false;
  has_broken_tls_ = is_protected_;
  std::string text = concat("lost connection with ", server_.host(), " while ", while_what);
  if (end == StreamEnd::kTimeout)
    text = concat("conversation with ", server_.host(), " timed out while ", while_what);
  return {.status = "4.4.2", .text = std::move(text), .may_be_tls = is_protected_};
}

/// A fault: no mail may go there.
asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::start_tls(std::string domain) {
  const bool is_offered = features_.has(EhloKeyword::kStarttls);
  if (tls_.policy.level == ClientTlsLevel::kNone) {
    if (is_offered && options_.notes_starttls_offer)
      log_.write(tag_, Severity::kInfo, concat("Host offered STARTTLS: [", server_.name, "]"));
    co_return std::nullopt;
  }
  const bool is_required = tls_.policy.is_required();
  if (!is_offered) {
    if (!is_required) co_return std::nullopt;
    co_return DeliveryFault{.status = "4.7.4",
                            .text = concat("TLS is required, but was not offered by host ", server_.host())};
  }
  if (tls_.engine == nullptr) {
    if (!is_required) co_return std::nullopt;
    co_return DeliveryFault{.status = "4.7.5", .text = "TLS is required, but our TLS engine is unavailable"};
  }
  const std::string_view while_what = "receiving the STARTTLS response";
  const StreamResult<void> sent = co_await say("STARTTLS\r\n", options_.starttls_timeout);
  if (!sent) co_return loss(sent.error(), while_what);
  const StreamResult<ServerReply> reply = co_await connection_->receive(options_.starttls_timeout);
  if (!reply) co_return loss(reply.error(), while_what);
  if (!reply->is_success()) {
    if (!is_required) co_return std::nullopt;
    co_return DeliveryFault{
        .status = reply->status,
        .text = concat("TLS is required, but host ", server_.host(), " refused to start TLS: ", reply->text),
        .remote_server = server_.name,
        .diagnostic = reply->text};
  }
  std::optional<DeliveryFault> fault = co_await shake_hands();
  if (fault) co_return fault;
  // What was said before could be of somebody in between.
  co_return co_await say_hello(true, std::move(domain));
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::shake_hands() {
  is_protected_ = true;
  TlsOutcome outcome = TlsOutcome::kFailed;
  if (tls_.engine != nullptr)
    outcome = co_await connection_->start_tls(*tls_.engine, tls_.policy, server_.relay(), sink_,
                                              options_.starttls_timeout);
  if (outcome == TlsOutcome::kTrusted) co_return std::nullopt;
  if (outcome == TlsOutcome::kUntrusted)
    co_return DeliveryFault{.status = "4.7.5", .text = "Server certificate not verified"};
  is_usable_ = false;
  has_broken_tls_ = true;
  co_return DeliveryFault{
      .status = "4.7.5", .text = "Cannot start TLS: handshake failure", .may_be_tls = true};
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::greet(std::string domain,
                                                                       std::string queue_id) {
  lines_.set_queue_id(std::move(queue_id));
  if (options_.uses_tls_wrapper) {
    std::optional<DeliveryFault> fault = co_await shake_hands();
    if (fault) co_return fault;
  }
  std::optional<DeliveryFault> fault = co_await welcome(domain);
  if (!fault && !is_protected_) fault = co_await start_tls(std::move(domain));
  if (!fault) fault = co_await log_in();
  is_greeted_ = !fault;
  co_return fault;
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::welcome(std::string domain) {
  const StreamResult<ServerReply> greeting = co_await connection_->receive(options_.helo_timeout);
  if (!greeting) co_return loss(greeting.error(), "receiving the initial server greeting");
  if (!greeting->is_success()) {
    DeliveryFault fault = refusal(*greeting);
    const bool is_error = greeting->code / 100 == 4 || greeting->code / 100 == 5;
    if (!is_error) fault.status = "5.5.0";
    if (is_error && options_.skips_5xx_greeting) fault.status[0] = '4';
    co_return fault;
  }
  const std::string name(leading_word(greeting->lines.front()));
  if (is_own_name(name))
    log_.write(tag_, Severity::kWarning,
               concat("host ", server_.relay(), " greeted me with my own hostname ", name));
  const bool is_extended =
      options_.is_lmtp() || (!options_.never_ehlo && (options_.always_ehlo || offers_esmtp(*greeting)));
  co_return co_await say_hello(is_extended, std::move(domain));
}

/// Those of the server's address, or of all servers. Errors: what the mail is kept for.
libconf::Result<DiscardedKeywords> SmtpClientSession::discarded_keywords() {
  if (keyword_table_ == nullptr || keyword_table_->is_empty()) return options_.discarded_keywords;
  const auto found = keyword_table_->lookup(server_.address);
  if (found && !*found) return options_.discarded_keywords;
  if (found && !(*found)->empty()) return DiscardedKeywords::parse(**found);
  const std::string_view parameter = options_.is_lmtp() ? "lmtp_discard_lhlo_keyword_address_maps"
                                                        : "smtp_discard_ehlo_keyword_address_maps";
  const auto warn = [this](std::string_view text) { log_.write(tag_, Severity::kWarning, text); };
  if (found) {
    for (const std::string& line : empty_result_warnings(parameter, server_.address)) warn(line);
  } else {
    warn(found.error().message);
  }
  warn(concat(lines_.queue_id(), ": ", parameter, " map lookup error for ", server_.address));
  return libconf::Error{.kind = libconf::ErrorKind::kTemporary,
                        .message = concat("local data error while talking to ", server_.host())};
}

asio::awaitable<std::optional<DeliveryFault>> SmtpClientSession::say_hello(bool is_extended,
                                                                           std::string domain) {
  constexpr int kClosing = 421;
  const std::string_view verb = options_.is_lmtp() ? "LHLO" : is_extended ? "EHLO" : "HELO";
  const std::string while_what = concat("performing the ", verb, " handshake");
  const std::string line = concat(verb, " ", options_.helo_name, "\r\n");
  const StreamResult<void> sent = co_await say(line, options_.helo_timeout);
  if (!sent) co_return loss(sent.error(), while_what);
  const StreamResult<ServerReply> reply = co_await connection_->receive(options_.helo_timeout);
  if (!reply) co_return loss(reply.error(), while_what);
  if (!reply->is_success()) {
    // A server that does not know EHLO still may know HELO.
    const bool has_other = is_extended && !options_.is_lmtp() && reply->code != kClosing;
    if (has_other) co_return co_await say_hello(false, std::move(domain));
    co_return refusal(*reply);
  }
  const std::string name(leading_word(reply->lines.front()));
  if (is_own_name(name)) {
    log_.write(tag_, Severity::kWarning,
               concat("host ", server_.relay(), " replied to HELO/EHLO with my own hostname ", name));
    co_return DeliveryFault{.status = "5.4.6", .text = concat("mail for ", domain, " loops back to myself")};
  }
  features_ = {};
  if (!is_extended) co_return std::nullopt;
  const libconf::Result<DiscardedKeywords> discarded = discarded_keywords();
  if (!discarded) co_return DeliveryFault{.status = "4.3.0", .text = discarded.error().message};
  const std::string names = discarded->to_string();
  if (!names.empty() && !discarded->is_silent())
    log_.write(tag_, Severity::kInfo, concat("discarding EHLO keywords: ", names));
  features_ = ServerFeatures(*reply, *discarded);
  if (features_.forgets_8bitmime())
    log_.write(tag_, Severity::kInfo,
               concat("host ", server_.host(), " offers SMTPUTF8 support, but not 8BITMIME"));
  lines_.set_pipelined(features_.has(EhloKeyword::kPipelining));
  if (!features_.bad_size_limit().empty())
    log_.write(tag_, Severity::kWarning,
               concat("bad EHLO SIZE limit \"", features_.bad_size_limit(), "\" from ", server_.relay()));
  co_return std::nullopt;
}

asio::awaitable<void> SmtpClientSession::quit() {
  if (is_usable_ && !has_quit_) {
    const StreamResult<void> sent = co_await say("QUIT\r\n", options_.quit_timeout);
    has_quit_ = sent.has_value();
  }
  if (is_usable_ && has_quit_ && !options_.skips_quit_response) {
    const StreamResult<ServerReply> reply = co_await connection_->receive(options_.quit_timeout);
    is_usable_ = reply.has_value();
  }
  co_await connection_->close();
}

}  // namespace mta
