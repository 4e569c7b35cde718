// SmtpSession: what each command does, but for those that bring content.
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/ehlo.h"
#include "tools/mta/smtp/flush_client.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

namespace {

/// Another name for the questions about one message (SMTPD_POLICY_README, "instance"). Sessions are not
/// spread over threads.
std::string next_instance() {
  static std::uint64_t messages = 0;
  return concat(std::to_string(::getpid()), ".", std::to_string(std::time(nullptr)), ".",
                std::to_string(++messages));
}

}  // namespace

asio::awaitable<Reply> SmtpSession::handle(const HeloRequest& request) {
  if (request.is_extended)
    if (std::optional<Reply> failure = choose_ehlo_keywords()) co_return *failure;
  update_offers();
  const std::optional<std::string> previous = std::exchange(state_.helo, request.name);
  const SmtpStage stage = request.is_extended ? SmtpStage::kEhlo : SmtpStage::kHelo;
  if (const std::optional<Reply> reply = co_await refused(stage)) {
    state_.helo = previous;
    co_return *reply;
  }
  end_transaction();
  const std::string protocol = state_.protocol;
  if (request.is_extended) state_.protocol = "ESMTP";
  protocol_.has_helo = true;
  if (milters_) {
    const std::string_view name = request.is_extended ? "EHLO" : "HELO";
    const std::optional<Reply> reply = co_await milters_->helo(name, protocol);
    if (reply) transcript_.note(reply->error_classes());  // Which the client may not be told.
    if (reply && reply->closes_connection()) co_return *reply;
    if (reply && reply->code() >= 500 && request.is_extended)
      co_return Reply(250, "", concat(service_.options().myhostname, "\nENHANCEDSTATUSCODES"));
  }
  if (!request.is_extended) co_return helo_reply(service_.options());
  update_offers();
  const Result<std::string> mechanisms = co_await offered_mechanisms();
  if (!mechanisms) co_return local_data_error();
  co_return ehlo_reply(service_.options(), protocol_, *mechanisms);
}

asio::awaitable<Reply> SmtpSession::handle(const MailRequest& request) {
  clear_transaction();
  const Result<std::uint64_t> free = service_.runtime().queue.free_space();
  if (!free || !service_.space().has_room(*free)) {
    const Reply reply(452, "4.3.1", "Insufficient system storage", ErrorClass::kResource);
    log_rejected("MAIL", reply.to_string());
    log(Severity::kWarning, free ? concat("not enough free space in mail queue: ", std::to_string(*free),
                                          " bytes < 1.5*message size limit")
                                 : free.error().message);
    co_return reply;
  }
  state_.sender = request.sender;
  state_.sasl.sender = request.submitter.value_or("");
  state_.size = static_cast<std::int64_t>(request.size);
  state_.instance = next_instance();
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kMail)) {
    clear_transaction();
    co_return *reply;
  }
  if (milters_) {
    if (const std::optional<Reply> reply = co_await milters_->mail(arguments_, transaction_.actions)) {
      clear_transaction();
      co_return *reply;
    }
  }
  errors_.start_message();
  transaction_.mail = request;
  transaction_.mail_command = command_text_;
  protocol_.has_sender = true;
  protocol_.is_utf8_message = request.is_utf8;
  const bool has_proxy = !service_.proxy().endpoint.empty();
  if (!service_.options().smtpd_delay_open_until_valid_rcpt && !has_proxy) {
    if (const std::optional<Reply> reply = open_intake()) {
      clear_transaction();
      co_return *reply;
    }
  }
  co_return Reply(250, "2.1.0", "Ok");
}

asio::awaitable<Reply> SmtpSession::handle(const RcptRequest& request) {
  const auto judgement = errors_.judge_recipient(protocol_.recipients);
  if (judgement != ErrorCounter::Verdict::kAccept) co_return reply_to_too_many_recipients(judgement);
  state_.recipient = request.recipient;
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kRcpt)) {
    if (milters_) co_await milters_->rejected_recipient(arguments_, *reply);
    co_return *reply;
  }
  std::optional<Reply> refusal;
  if (milters_) refusal = co_await milters_->recipient(arguments_, transaction_.actions);
  if (refusal) co_return *refusal;
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

asio::awaitable<Reply> SmtpSession::handle(const VrfyRequest& request) {
  state_.recipient = request.address;
  const std::optional<Reply> reply = co_await refused(SmtpStage::kVrfy);
  co_return reply ? *reply : Reply(252, "2.0.0", request.text);
}

asio::awaitable<Reply> SmtpSession::handle(const EtrnRequest& request) {
  state_.etrn_domain = request.domain;
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kEtrn)) co_return *reply;
  const Result<bool> may_flush = service_.rules().may_flush(request.domain);
  std::optional<FlushStatus> status;
  if (may_flush && *may_flush) {
    const ServerOptions& options = service_.options();
    status =
        co_await flush_site(co_await asio::this_coro::executor, concat("public/", options.flush_service_name),
                            request.domain, options.ipc_timeout);
    if (status == FlushStatus::kDone) co_return Reply(250, "", "Queuing started");
    if (status == FlushStatus::kInvalid)
      co_return Reply(501, "", "Error: invalid parameter syntax", ErrorClass::kProtocol);
    if (status != FlushStatus::kDenied) {
      log(Severity::kWarning, "unable to talk to fast flush service");
      co_return Reply(458, "", "Unable to queue messages");
    }
  }
  if (!may_flush) log(Severity::kWarning, may_flush.error().message);
  log(Severity::kWarning, concat("reject: ETRN ", request.domain, "... from ", client_text()));
  co_return Reply(459, "", concat("<", request.domain, ">: service unavailable"));
}

asio::awaitable<Reply> SmtpSession::handle(const XclientRequest& request) {
  const auto text_of = [](const ClientAttribute& attribute) {
    return attribute.state == ClientAttributeState::kKnown ? attribute.value : "unknown";
  };
  const auto status_of = [](const ClientAttribute& attribute) {
    if (attribute.state == ClientAttributeState::kKnown) return NameStatus::kFound;
    return attribute.state == ClientAttributeState::kUnavailable ? NameStatus::kNotFound
                                                                 : NameStatus::kTemporaryFailure;
  };
  const bool names_reverse = std::any_of(
      request.attributes.begin(), request.attributes.end(),
      [](const ClientAttribute& attribute) { return attribute.name == ClientAttributeName::kReverseName; });
  forget_client();
  state_.protocol = "SMTP";
  for (const ClientAttribute& attribute : request.attributes) {
    switch (attribute.name) {
      case ClientAttributeName::kName:
        state_.client.name = text_of(attribute);
        state_.client.name_status = status_of(attribute);
        if (names_reverse) break;
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
        // Where AUTH is off, a login has no rights.
        if (attribute.state == ClientAttributeState::kKnown)
          state_.sasl = {.is_authenticated = service_.auth().is_enabled(),
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
  update_rights();
  protocol_.is_authenticated = state_.sasl.is_authenticated;
  update_offers();
  choose_bare_newline();
  if (transcript_.is_wanted()) co_await report_errors();
  transcript_.restart();
  if (const std::optional<Reply> reply = co_await refused(SmtpStage::kXclient)) {
    deny();
    co_return *reply;
  }
  co_return co_await greeting_after_filters();
}

Reply SmtpSession::handle(const XforwardRequest& request) {
  forwarded_.take(request.attributes);
  return {250, "2.0.0", "Ok"};
}

}  // namespace mta
