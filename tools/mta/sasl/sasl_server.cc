#include "tools/mta/sasl/sasl_server.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "libmaps/base64.h"
#include "tools/mta/sasl/cyrus_server.h"
#include "tools/mta/sasl/dovecot_client.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::string_view kNoMechanism = "Invalid authentication mechanism";
constexpr std::size_t kReasonLimit = 256;  // So that a reply is a line of SMTP.

/// A type of smtpd_sasl_type.
struct SaslType {
  std::string_view name;
  Result<std::unique_ptr<SaslBackend>> (*create)(const libconf::Settings&, asio::any_io_executor,
                                                 libconf::DiagnosticSink&);
};
constexpr std::array<SaslType, 2> kTypes = {
    {{"cyrus", create_cyrus_server}, {"dovecot", create_dovecot_client}}};

/// A mechanism in capital letters; nothing: it is no name of one (RFC 4422, section 3.1).
std::optional<std::string> mechanism_name(std::string_view text) {
  constexpr std::size_t kMaximum = 20;
  if (text.empty() || text.size() > kMaximum) return std::nullopt;
  std::string name(text);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') return std::nullopt;
  }
  return name;
}

std::string reason_text(std::string_view reason) {
  return libconf::printable(reason.substr(0, kReasonLimit));
}

SaslReply failure(std::string_view reason, std::string username = {}) {
  const std::string text = reason_text(reason);
  return {.state = SaslReply::State::kFailed,
          .text = concat("535 5.7.8 Error: authentication failed: ", text),
          .username = std::move(username),
          .reason = text};
}

SaslReply temporary_failure(std::string_view reason, std::string username = {}) {
  const std::string text = reason_text(reason);
  return {.state = SaslReply::State::kTemporary,
          .text = concat("454 4.7.0 Temporary authentication failure: ", text),
          .username = std::move(username),
          .reason = text};
}

SaslReply reply_to(SaslAnswer answer) {
  switch (answer.kind) {
    case SaslAnswer::Kind::kChallenge:
      return {.state = SaslReply::State::kChallenge,
              .text = concat("334 ", libmaps::encode_base64(answer.text))};
    case SaslAnswer::Kind::kSuccess:
      return {.state = SaslReply::State::kSuccess,
              .text = "235 2.7.0 Authentication successful",
              .username = std::move(answer.username)};
    case SaslAnswer::Kind::kFailure:
      return failure(answer.text, std::move(answer.username));
    case SaslAnswer::Kind::kTemporary:
      break;
  }
  return temporary_failure(answer.text, std::move(answer.username));
}

}  // namespace

SaslReply sasl_response_too_long() {
  return {.state = SaslReply::State::kTooLong,
          .text = "500 5.5.6 SASL response limit exceeded",
          .reason = "SASL response limit exceeded"};
}

SaslExchange::SaslExchange(SaslServer& server, const SaslPeer& peer)
    : server_(server), conversation_(server.backend_->converse(peer)) {}

asio::awaitable<SaslReply> SaslExchange::start(std::string_view mechanism,
                                               std::optional<std::string_view> initial_response) {
  std::optional<std::string> name = mechanism_name(mechanism);
  if (!name) co_return failure(kNoMechanism);
  if (initial_response && initial_response->size() >= server_.response_limit_)
    co_return sasl_response_too_long();
  const Result<bool> passes = server_.passes_filter(*name);
  if (!passes) co_return temporary_failure("server configuration error");
  if (!*passes) co_return failure(kNoMechanism);

  std::optional<std::string> bytes;
  if (initial_response) {
    bytes = *initial_response == "=" ? std::string() : libmaps::decode_base64(*initial_response);
    if (!bytes) co_return failure("Invalid base64 data in initial response");
  }
  co_return reply_to(co_await conversation_->start(std::move(*name), std::move(bytes)));
}

asio::awaitable<SaslReply> SaslExchange::step(std::string_view line) {
  if (line == "*")
    co_return SaslReply{.state = SaslReply::State::kAborted, .text = "501 5.7.0 Authentication aborted"};
  if (line.size() >= server_.response_limit_) co_return sasl_response_too_long();
  std::optional<std::string> bytes = libmaps::decode_base64(line);
  if (!bytes) co_return failure("Invalid base64 data in continued response");
  co_return reply_to(co_await conversation_->step(std::move(*bytes)));
}

Result<std::unique_ptr<SaslServer>> SaslServer::create(const libconf::Settings& settings,
                                                       asio::any_io_executor executor,
                                                       const libmaps::MatchList::OpenTable& open_table,
                                                       libconf::DiagnosticSink& log) {
  const Result<std::string> name = settings.get("smtpd_sasl_type");
  if (!name) return name.error();
  const auto* const type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const SaslType& each) { return each.name == *name; });
  if (type == kTypes.end()) {
    return configuration_error(concat("unsupported SASL server implementation: ", *name));
  }
  Result<std::unique_ptr<SaslBackend>> backend = type->create(settings, std::move(executor), log);
  if (!backend) return backend.error();
  return create(settings, std::move(*backend), open_table);
}

Result<std::unique_ptr<SaslServer>> SaslServer::create(const libconf::Settings& settings,
                                                       std::unique_ptr<SaslBackend> backend,
                                                       const libmaps::MatchList::OpenTable& open_table) {
  constexpr std::string_view kFilter = "smtpd_sasl_mechanism_filter";
  const Result<std::string> value = settings.get(kFilter);
  if (!value) return value.error();
  const Result<std::int64_t> limit = settings.get_int("smtpd_sasl_response_limit");
  if (!limit) return limit.error();
  std::optional<libmaps::MatchList> filter;
  if (!libconf::trim(*value).empty()) {
    Result<libmaps::MatchList> list = libmaps::MatchList::parse(
        std::string(kFilter), *value, {.kind = libmaps::MatchKind::kStrings}, open_table);
    if (!list) return list.error();
    filter.emplace(std::move(*list));
  }
  return std::unique_ptr<SaslServer>(
      new SaslServer(std::move(backend), std::move(filter), static_cast<std::size_t>(*limit)));
}

asio::awaitable<Result<std::vector<std::string>>> SaslServer::mechanisms(const SaslPeer& peer) {
  Result<std::vector<std::string>> all = co_await backend_->mechanisms(peer);
  if (!all) co_return all;
  if (all->empty()) {
    co_return Error{.kind = ErrorKind::kTemporary, .message = "no SASL authentication mechanisms"};
  }
  std::vector<std::string> offered;
  std::string names;
  for (const std::string& each : *all) {
    const Result<bool> passes = passes_filter(each);
    if (!passes) co_return passes.error();
    if (*passes) offered.push_back(each);
    names += concat(names.empty() ? "" : " ", each);
  }
  if (offered.empty()) {
    co_return configuration_error(
        concat("smtpd_sasl_mechanism_filter discards all mechanisms in '", names, "'"));
  }
  co_return offered;
}

Result<bool> SaslServer::passes_filter(const std::string& mechanism) {
  if (!filter_) return true;
  return filter_->matches(mechanism);
}

}  // namespace mta
