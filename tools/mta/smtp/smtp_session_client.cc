// SmtpSession: who the client is, as the connection and a proxy say, and whether it is served at all.
#include <ctime>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/smtp/client_name.h"
#include "tools/mta/smtp/proxy_header.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

namespace {

/// How much of what a client should not have sent is logged.
constexpr std::size_t kLoggedInput = 100;

std::string logged(std::string_view input) { return escape(input.substr(0, kLoggedInput)); }

}  // namespace

std::string SmtpSession::client_text() const {
  std::string text = concat(state_.client.name, "[", state_.client.address, "]");
  if (service_.options().smtpd_client_port_logging) text += concat(":", state_.client.port);
  return text;
}

asio::awaitable<bool> SmtpSession::read_proxy_header(std::chrono::seconds timeout) {
  const ServerOptions& options = service_.options();
  ProxyHeaderReader reader({.has_ipv4 = options.has_ipv4, .has_ipv6 = options.has_ipv6});
  const auto failed = [&](std::string_view why) {
    stream_.set_deadline(std::nullopt);
    log(Severity::kWarning, concat("haproxy read: ", why));
    return false;
  };
  // What follows a header may be TLS, which must find it in the connection.
  const std::size_t portion = service_.tls().is_wrapper() ? 1 : kMaxProxyHeader;
  stream_.set_deadline(std::chrono::steady_clock::now() + timeout);
  auto state = ProxyHeaderReader::State::kIncomplete;
  while (state == ProxyHeaderReader::State::kIncomplete) {
    const StreamResult<std::string_view> more = co_await stream_.read(portion);
    if (!more && more.error() == StreamEnd::kTimeout) co_return failed("timeout error");
    if (!more && reader.header().empty()) co_return failed("EOF");
    if (!more) {
      state = reader.end();
      break;
    }
    std::string_view input = *more;
    state = reader.read(input);
    input_ = input;
  }
  stream_.set_deadline(std::nullopt);
  if (state == ProxyHeaderReader::State::kMalformed)
    co_return failed(concat(reader.error(), ": ", escape(reader.header()), escape(input_)));
  if (const std::optional<ProxyEndpoints>& endpoints = reader.endpoints()) {
    state_.client = {.address = libmaps::to_string(endpoints->client),
                     .port = std::to_string(endpoints->client_port)};
    state_.server_address = libmaps::to_string(endpoints->server);
    state_.server_port = std::to_string(endpoints->server_port);
  }
  co_return true;
}

asio::awaitable<std::optional<Reply>> SmtpSession::meet_client() {
  const std::optional<std::chrono::seconds> proxy_timeout = service_.rules().proxy_timeout();
  if (proxy_timeout) is_known_ = co_await read_proxy_header(*proxy_timeout);
  const bool has_name = state_.client.name_status == NameStatus::kFound;  // Of a local connection.
  if (is_known_ && !has_name && service_.looks_up_names()) {
    state_.client = co_await look_up_client(state_.client.address, state_.client.port,
                                            service_.runtime().hosts, service_.runtime().resolver);
  }
  log(Severity::kInfo, concat("connect from ", client_text()));
  if (!is_known_) co_return unavailable("4.3.0", "Server local error");
  update_rights();
  const Result<bool> is_watched = service_.is_watched(state_.client);
  is_watched_ = is_watched && *is_watched;
  const Result<bool> may_use_xforward = service_.may_use_xforward(state_.client);
  protocol_.may_use_xforward = may_use_xforward && *may_use_xforward;
  choose_bare_newline();
  reader_ =
      CommandReader(service_.options().line_length_limit, bare_newline_, service_.options().smtputf8_enable);
  co_return limit_client();
}

std::optional<Reply> SmtpSession::limit_client() {
  // Who may speak for other clients is not one client.
  if (protocol_.may_use_xclient) return std::nullopt;
  Result<LimitedClient> limited = service_.rules().limits().limit(state_.client, client_text());
  if (!limited) {
    log(Severity::kWarning, limited.error().message);
    return std::nullopt;
  }
  limited_client_ = std::move(*limited);
  return logged_refusal(limited_client_.connect());
}

std::optional<Reply> SmtpSession::logged_refusal(std::optional<RateRefusal> refusal) {
  if (!refusal) return std::nullopt;
  log(Severity::kWarning, refusal->warning);
  return std::move(refusal->reply);
}

void SmtpSession::choose_bare_newline() {
  bare_newline_ = service_.options().smtpd_forbid_bare_newline;
  const Result<BareNewline> mode = service_.rules().bare_newline_for(state_.client, bare_newline_);
  if (mode) {
    bare_newline_ = *mode;
  } else {
    log(Severity::kWarning, mode.error().message);
  }
}

asio::awaitable<std::optional<Reply>> SmtpSession::refuse_early_input() {
  if (protocol_.is_tls) co_return std::nullopt;  // What has come belongs to TLS.
  asio::error_code failure;
  if (stream_.socket().available(failure) > 0) {
    // It waits for nothing.
    const StreamResult<std::string_view> more = co_await stream_.read();
    if (more) input_ += *more;
  }
  if (input_.empty()) co_return std::nullopt;
  co_return refuse_improper_input();
}

std::optional<Reply> SmtpSession::refuse_improper_input() {
  state_.has_unauthorized_pipelining = true;
  log(Severity::kInfo,
      concat("improper command pipelining after ", where_, " from ", client_text(), ": ", logged(input_)));
  if (!service_.options().smtpd_forbid_unauth_pipelining) return std::nullopt;
  is_over_ = true;
  return reply_to_unauthorized_pipelining();
}

std::optional<Reply> SmtpSession::refuse_counted(const Command& command, const CommandLine& line) {
  if (!is_counted_attempt(command, line, service_.options(), protocol_)) return std::nullopt;
  const ClientEvent event = command.verb == Verb::kMail   ? ClientEvent::kMessage
                            : command.verb == Verb::kRcpt ? ClientEvent::kRecipient
                                                          : ClientEvent::kAuth;
  return logged_refusal(limited_client_.count(event));
}

void SmtpSession::deny() {
  is_denied_ = true;
  transcript_.note(ErrorClass::kPolicy);  // Also where it was refused for want of data.
}

Reply SmtpSession::access_denied() const {
  return {503, "5.7.0", concat("Error: access denied for ", client_text()), ErrorClass::kPolicy};
}

Reply SmtpSession::local_data_error() {
  is_over_ = true;
  Reply reply = unavailable("4.3.0", "Server local data error", ErrorClass::kData);
  log(Severity::kInfo, concat("NOQUEUE: reject: ", where_, " from ", client_text(), ": ", reply.to_string()));
  return reply;
}

std::optional<Reply> SmtpSession::filter_command(std::string& text) {
  TableList& filter = service_.rules().command_filter();
  if (filter.is_empty()) return std::nullopt;
  const std::size_t start = std::min(text.find_first_not_of(libconf::kBlanks), text.size());
  const Result<std::optional<std::string>> found = filter.lookup(std::string_view(text).substr(start));
  if (!found) {
    log(Severity::kWarning, found.error().message);
    return local_data_error();
  }
  if (!*found) return std::nullopt;
  log(Severity::kInfo,
      concat(client_text(), ": replacing command \"", std::string_view(text).substr(0, kLoggedInput),
             "\" with \"", std::string_view(**found).substr(0, kLoggedInput), "\""));
  text = **found;
  return std::nullopt;
}

std::optional<Reply> SmtpSession::choose_ehlo_keywords() {
  const Result<DiscardedKeywords> discarded =
      service_.rules().ehlo_discard().keywords_for(state_.client.address);
  if (!discarded) {
    log(Severity::kWarning, discarded.error().message);
    log(Severity::kWarning, concat("don't know what EHLO features to announce to ", client_text()));
    return local_data_error();
  }
  protocol_.discarded = *discarded;
  const std::string names = discarded->to_string();
  if (!names.empty() && !discarded->is_silent())
    log(Severity::kInfo, concat("discarding EHLO keywords: ", names));
  return std::nullopt;
}

void SmtpSession::finish_refusal(Reply& reply) {
  const std::string time = log_time(std::time(nullptr));
  service_.rules().replies().finish(reply,
                                    {.client_address = state_.client.address,
                                     .client_port = state_.client.port,
                                     .localtime = time,
                                     .server_name = service_.options().myhostname},
                                    service_.warnings());
}

}  // namespace mta
