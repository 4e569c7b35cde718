#include "tools/mta/smtp/milter_inspection.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/content/content_log.h"
#include "tools/mta/smtp/enhanced_status.h"
#include "tools/mta/smtp/request_parsers.h"

namespace mta {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

namespace {

constexpr std::size_t kCodeLength = 3;

/// What a command of the protocol would read from one of a filter's parameters; nothing: it is none.
template <class T>
std::optional<T> read_parameter(RequestResult (*parse)(const RequestContext&), std::string_view command,
                                const std::string& parameter) {
  const std::string text = concat(command, ":<filter@localhost> ", parameter);
  const CommandLine line(text);
  const ServerOptions options;
  const SessionState state;
  RequestResult request = parse({.line = line, .options = options, .state = state});
  if (!request) return std::nullopt;
  return std::get<T>(std::move(*request));
}

/// A filter may give several parameters in one string.
std::vector<std::string> words_of(std::span<const std::string> texts) {
  std::vector<std::string> words;
  for (std::string_view text : texts)
    while (const auto word = libconf::next_word(text, " \t\r\n")) words.emplace_back(*word);
  return words;
}

}  // namespace

Rejection rejection_of(std::string_view reply) {
  Rejection rejection{.code = std::stoi(std::string(reply.substr(0, kCodeLength))), .status = ""};
  if (reply.find('\n') == std::string_view::npos) {
    reply.remove_prefix(std::min(kCodeLength + 1, reply.size()));
    const std::size_t status = status_length(reply);
    rejection.status = reply.substr(0, status);
    rejection.text = reply.substr(std::min(status + (status > 0 ? 1 : 0), reply.size()));
    return rejection;
  }
  // Each line may have a status of its own.
  while (!reply.empty()) {
    std::string_view line = reply.substr(0, reply.find('\n'));
    reply.remove_prefix(std::min(line.size() + 1, reply.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(kCodeLength + 1, line.size()));
    rejection.text += concat(rejection.text.empty() ? "" : "\n", line);
  }
  return rejection;
}

MilterInspection::MilterInspection(StagedMessage& message, FilteredEnvelope envelope, ContentChecks& checks,
                                   MessageContext& context, CleanupSink& sink, bool is_held)
    : message_(message),
      envelope_(envelope),
      context_(context),
      sink_(sink),
      inspection_(checks, context, sink),
      is_held_(is_held) {}

asio::awaitable<Result<void>> MilterInspection::run(MilterChain& filters) {
  for (const auto& filter : filters.clients()) {
    MilterWarn warn = [this](std::string_view text) { sink_.log(Severity::kWarning, text); };
    MilterEdits& edits = *this;
    const MilterVerdict verdict = co_await filter->inspect(message_, edits, std::move(warn));
    end_replaced_body();
    if (error_) co_return *error_;
    if (is_decided_ || settle(verdict)) break;
  }
  co_return Result<void>();
}

void MilterInspection::log(std::string_view verdict, std::string_view text) {
  sink_.log(Severity::kInfo,
            milter_log_line({.queue_id = context_.queue_id,
                             .verdict = verdict,
                             .stage = "END-OF-MESSAGE",
                             .client = context_.client,
                             .text = text,
                             .sender = context_.sender,
                             .recipient = context_.recipient.empty() ? std::optional<std::string_view>()
                                                                     : context_.recipient,
                             .protocol = context_.protocol,
                             .helo = context_.helo}));
}

/// Whether no other filter is asked.
bool MilterInspection::settle(const MilterVerdict& verdict) {
  switch (verdict.kind) {
    case MilterVerdictKind::kContinue:
      return false;
    case MilterVerdictKind::kDiscard:
      log("milter-discard", "milter triggers DISCARD action");
      sink_.discard();
      return true;
    case MilterVerdictKind::kHold:
      hold({});
      return true;
    case MilterVerdictKind::kReject:
    case MilterVerdictKind::kClose:
      break;
  }
  const std::string_view reply = verdict.reply;
  log("milter-reject", reply.substr(std::min(kCodeLength + 1, reply.size())));
  sink_.reject(rejection_of(reply));
  return true;
}

std::optional<std::string> MilterInspection::checked_header(std::string_view name, std::string_view value) {
  std::string text = header_from_filter(name, value);
  if (is_decided_) return std::nullopt;
  if (!inspection_.covers(CheckClass::kMilterHeader)) return text;
  CheckAction action = inspection_.inspect(CheckClass::kMilterHeader, text);
  switch (action.kind) {
    case CheckActionKind::kIgnore:
      return std::nullopt;
    case CheckActionKind::kReplace:
      return std::move(action.text);
    case CheckActionKind::kPrepend:
      sink_.log(Severity::kWarning, "the milter_header/body_checks prepend action is not implemented");
      return text;
    case CheckActionKind::kDiscard:
      is_decided_ = true;
      sink_.discard();
      return std::nullopt;
    case CheckActionKind::kReject:
      is_decided_ = true;
      sink_.reject({.code = action.code, .status = action.status, .text = action.text});
      return std::nullopt;
    default:
      return text;
  }
}

void MilterInspection::add_header(std::string_view name, std::string_view value) {
  if (auto text = checked_header(name, value)) message_.add_header(std::move(*text));
}

void MilterInspection::insert_header(std::uint32_t index, std::string_view name, std::string_view value) {
  if (auto text = checked_header(name, value)) message_.insert_header(index, std::move(*text));
}

void MilterInspection::change_header(std::uint32_t index, std::string_view name, std::string_view value) {
  if (auto text = checked_header(name, value)) message_.change_header(index, name, std::move(*text));
}

void MilterInspection::delete_header(std::uint32_t index, std::string_view name) {
  message_.delete_header(index, name);
}

std::string MilterInspection::address_in(std::string_view text) {
  std::vector<std::string> addresses = header_addresses(text, kUnlimitedTokens);
  if (addresses.empty()) return {};
  if (addresses.size() > 1)
    sink_.log(Severity::kWarning,
              concat(context_.queue_id, ": Milter or header/body_checks request to add multi-recipient: \"",
                     text, "\""));
  return std::move(addresses.front());
}

void MilterInspection::add_recipient(std::string_view address, std::span<const std::string> parameters) {
  EnvelopeRecipient recipient{.address = address_in(address), .original = ""};
  if (recipient.address.empty()) {
    sink_.log(Severity::kWarning,
              concat(context_.queue_id, ": ignoring attempt from Milter to add null recipient"));
    return;
  }
  const Result<std::string> rewritten =
      envelope_.addresses.rewrite_recipient(envelope_.context, recipient.address);
  if (!rewritten) {
    error_ = rewritten.error();
    return;
  }
  recipient.original = unquote_address(*rewritten);
  for (const std::string& parameter : words_of(parameters)) {
    auto request = read_parameter<RcptRequest>(parse_rcpt, "RCPT TO", parameter);
    if (!request) {
      sink_.log(Severity::kWarning,
                concat(context_.queue_id, ": ignoring ESMTP argument from Milter or header/body_checks: \"",
                       parameter, "\""));
      continue;
    }
    if (request->notify != 0) recipient.dsn_notify = static_cast<int>(request->notify);
    if (!request->original_recipient.empty()) recipient.dsn_original = std::move(request->original_recipient);
  }
  if (const Result<void> added = envelope_.recipients.add_filtered(std::move(recipient)); !added)
    error_ = added.error();
}

void MilterInspection::delete_recipient(std::string_view address) {
  envelope_.recipients.remove(unquote_address(address_in(address)));
}

void MilterInspection::change_sender(std::string_view address, std::span<const std::string> parameters) {
  const std::string internal = unquote_address(address_in(address));
  Result<std::string> sender = envelope_.addresses.rewrite_sender(envelope_.context, internal);
  if (!sender) {
    error_ = sender.error();
    return;
  }
  envelope_.sender = std::move(*sender);
  envelope_.external_sender = quote_address(envelope_.sender);
  context_.sender = envelope_.external_sender;
  for (const std::string& parameter : words_of(parameters)) {
    const auto request = read_parameter<MailRequest>(parse_mail, "MAIL FROM", parameter);
    const bool is_known =
        request && (request->dsn_return != DsnReturn::kUnspecified || !request->envelope_id.empty());
    if (!is_known) {
      sink_.log(Severity::kWarning,
                concat("Ignoring bad ESMTP parameter \"", parameter, "\" in SMFI_CHGFROM request"));
      continue;
    }
    if (request->dsn_return == DsnReturn::kFull) envelope_.return_flags = kReturnFull;
    if (request->dsn_return == DsnReturn::kHeaders) envelope_.return_flags = kReturnHeaders;
    if (!request->envelope_id.empty()) envelope_.envelope_id = request->envelope_id;
  }
}

void MilterInspection::replace_body(std::string_view piece) {
  if (!is_body_replaced_) message_.clear_body();
  is_body_replaced_ = true;
  std::string text = ends_with_return_ ? "\r" : "";
  text += piece;
  ends_with_return_ = text.ends_with('\r');
  if (ends_with_return_) text.pop_back();
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    lines += text[i];
  }
  message_.body(lines);
  if (!lines.empty()) ends_line_ = lines.ends_with('\n');
}

void MilterInspection::end_replaced_body() {
  if (ends_with_return_) message_.body("\r");
  if (ends_with_return_ || !ends_line_) message_.body("\n");
  ends_with_return_ = is_body_replaced_ = false;
  ends_line_ = true;
}

void MilterInspection::hold(std::string_view) {
  if (is_held_) return;
  is_held_ = true;
  log("milter-hold", "milter triggers HOLD action");
  sink_.hold();
}

}  // namespace mta
