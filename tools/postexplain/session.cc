#include "tools/postexplain/session.h"

#include <ctime>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/smtp/client_name.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/reply.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using mta::NameStatus;
using mta::SmtpStage;

constexpr std::string_view kUnknown = "unknown";

/// What XCLIENT_README says about a name.
void set_name(const std::string& given, std::string& name, NameStatus& status) {
  status = NameStatus::kFound;
  if (given == "[UNAVAILABLE]" || given == kUnknown) status = NameStatus::kNotFound;
  if (given == "[TEMPUNAVAIL]") status = NameStatus::kTemporaryFailure;
  name = status == NameStatus::kFound ? given : std::string(kUnknown);
}

}  // namespace

Result<std::string> Session::read_address(std::string_view text) const {
  const std::string path = text.starts_with('<') ? std::string(text) : concat("<", text, ">");
  std::optional<std::string> address =
      mta::parse_path(path, {.is_strict = services_.is_strict, .allows_leading_hyphen = true});
  if (address) return std::move(*address);
  return Error{.kind = ErrorKind::kSyntax, .message = concat("no address: ", text)};
}

Result<void> Session::run() {
  if (!libmaps::parse_ip_address(request_.client))
    return Error{.kind = ErrorKind::kSyntax, .message = concat("no IP address: ", request_.client)};
  Result<std::string> sender = read_address(request_.sender);
  if (!sender) return sender.error();
  sender_ = std::move(*sender);
  Result<std::string> recipient = read_address(request_.recipient);
  if (!recipient) return recipient.error();
  recipient_ = std::move(*recipient);
  return services_.finish(converse());
}

asio::awaitable<void> Session::converse() {
  Recorder& recorder = services_.recorder();
  recorder.begin("client", "");
  co_await meet_client();
  take_login();
  recorder.say(concat("client ", state_.client.name, "[", state_.client.address, "]"),
               {{"name", state_.client.name}, {"address", state_.client.address}});
  recorder.end();

  if (!co_await pass(SmtpStage::kConnect, "connection")) co_return;
  if (request_.helo) {
    state_.helo = *request_.helo;
    const SmtpStage stage = request_.is_extended ? SmtpStage::kEhlo : SmtpStage::kHelo;
    if (!co_await pass(stage, concat(request_.is_extended ? "EHLO " : "HELO ", *request_.helo))) co_return;
    if (request_.is_extended) state_.protocol = "ESMTP";
  }
  state_.sender = sender_;
  state_.instance = "postexplain";
  if (!co_await pass(SmtpStage::kMail, concat("MAIL FROM:<", sender_, ">"))) co_return;
  state_.recipient = recipient_;
  if (!co_await pass(SmtpStage::kRcpt, concat("RCPT TO:<", recipient_, ">"))) co_return;
  state_.recipient_count = 1;
  if (!co_await pass(SmtpStage::kData, "DATA") || !request_.message) co_return;
  state_.size = static_cast<std::int64_t>(request_.message->size());
  co_await pass(SmtpStage::kEndOfData, "end of data");
}

asio::awaitable<void> Session::meet_client() {
  mta::ClientState& client = state_.client;
  client.address = request_.client;
  client.port = request_.client_port;
  if (request_.client_name) {
    set_name(*request_.client_name, client.name, client.name_status);
    set_name(request_.reverse_name.value_or(*request_.client_name), client.reverse_name,
             client.reverse_name_status);
  } else if (services_.looks_up_names) {
    const mta::HostsFile no_hosts = mta::HostsFile::parse("");
    client = co_await mta::look_up_client(request_.client, request_.client_port, no_hosts,
                                          services_.outside().resolver());
  }
}

void Session::take_login() {
  state_.tls.is_encrypted = request_.is_encrypted;
  if (request_.is_encrypted) state_.tls.protocol = "TLSv1.3";
  if (!request_.sasl_user) return;
  state_.sasl = {.is_authenticated = services_.has_auth, .method = "PLAIN", .username = *request_.sasl_user};
  if (!services_.has_auth)
    services_.recorder().add({.kind = "warning",
                              .text = "warning: smtpd_sasl_auth_enable is off here: nobody can log in",
                              .facts = {{"message", "smtpd_sasl_auth_enable is off"}}});
}

bool Session::is_local() {
  const Result<bool> is_local = services_.local_clients->has(state_);
  if (!is_local) services_.recorder().warn("local-clients", is_local.error().message);
  return is_local && *is_local;
}

asio::awaitable<bool> Session::pass(SmtpStage stage, std::string title) {
  Recorder& recorder = services_.recorder();
  explanation_.stage = title;
  state_.stage = stage;
  recorder.begin("stage", std::move(title), {{"command", explanation_.stage}});
  const mta::Verdict verdict = co_await services_.access->check(state_, memory_, &recorder);
  recorder.end_list();
  for (const std::string& line : verdict.log)
    recorder.add({.kind = "log", .text = concat("log: ", line), .facts = {{"line", line}}});
  actions_.add(verdict.actions);
  state_.is_held = actions_.hold;
  state_.is_discarded = actions_.discard;
  if (verdict.kind == mta::VerdictKind::kReject) refuse(mta::parse_reply(verdict.reply, verdict.error_class));
  recorder.end_stage();
  co_return verdict.kind != mta::VerdictKind::kReject;
}

void Session::refuse(mta::Reply reply) {
  const std::string before = reply.to_string();
  const std::string time = mta::log_time(std::time(nullptr));
  services_.replies.finish(reply,
                           {.client_address = state_.client.address,
                            .client_port = state_.client.port,
                            .localtime = time,
                            .server_name = services_.myhostname},
                           services_.recorder());
  std::string lines;
  reply.append_to(lines);
  std::erase(lines, '\r');
  explanation_.reply = libconf::trim(lines);
  constexpr int kPermanent = 500;
  explanation_.decision = reply.code() >= kPermanent ? Decision::kReject : Decision::kDefer;
  if (reply.to_string() != before)
    services_.recorder().add({.kind = "reply",
                              .text = concat("the client is told: ", reply.to_string()),
                              .facts = {{"reply", explanation_.reply}}});
}

}  // namespace postexplain
