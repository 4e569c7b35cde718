// SmtpSession: what the log says of what was refused before restrictions have seen it.
#include <algorithm>
#include <iterator>

#include "libconf/text.h"
#include "tools/mta/smtp/request_parsers.h"
#include "tools/mta/smtp/smtp_session.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Severity;

/// What the warning about a reply to a command says.
enum class RefusalWarning {
  kSize,
  kAddress,
  kVerifiedAddress,
  kNotify,
  kMalformedChunk,
  kNullChunk,
  kLargeChunk
};

struct RefusalFacts {
  Verb verb;
  std::string_view status;  ///< Of the reply.
  RefusalWarning warning;
};

constexpr RefusalFacts kRefusals[] = {
    {Verb::kMail, "5.3.4", RefusalWarning::kSize},
    {Verb::kMail, "5.1.7", RefusalWarning::kAddress},
    {Verb::kRcpt, "5.1.3", RefusalWarning::kAddress},
    {Verb::kRcpt, "5.5.4", RefusalWarning::kNotify},
    {Verb::kVrfy, "5.1.3", RefusalWarning::kVerifiedAddress},
    {Verb::kBdat, "5.5.4", RefusalWarning::kMalformedChunk},
    {Verb::kBdat, "5.7.1", RefusalWarning::kNullChunk},
    {Verb::kBdat, "5.3.4", RefusalWarning::kLargeChunk},
};

constexpr std::size_t kAddressWord = 2;  ///< "MAIL", "FROM:", address

}  // namespace

std::string SmtpSession::log_id() const {
  return transaction_.queue_id.empty() ? "NOQUEUE" : transaction_.queue_id;
}

void SmtpSession::log_rejected(std::string_view where, std::string_view text) {
  std::string line = concat(log_id(), ": reject: ", where, " from ", client_text(), ": ", text, ";");
  if (state_.sender) line += concat(" from=<", *state_.sender, ">");
  if (protocol_.recipients == 1) line += concat(" to=<", transaction_.recipients.front().address, ">");
  line += concat(" proto=", state_.protocol);
  if (state_.helo) line += concat(" helo=<", *state_.helo, ">");
  log(Severity::kInfo, line);
}

void SmtpSession::log_end(bool is_timeout) {
  // A client that has sent its message may go as it likes.
  if (where_ == kEndOfMessage && !is_timeout) return;
  std::optional<std::uint64_t> received;
  if (where_ == "DATA" && transaction_.has_begun) received = content_received_;
  if (where_ == "BDAT" && transaction_.chunks) received = transaction_.chunks->received();
  const std::string size = received ? concat(" (", std::to_string(*received), " bytes)") : "";
  log(Severity::kInfo,
      concat(is_timeout ? "timeout" : "lost connection", " after ", where_, size, " from ", client_text()));
}

SessionTranscript SmtpSession::start_transcript(SmtpService& service) {
  return service.transcripts() == nullptr ? SessionTranscript({}) : service.transcripts()->start();
}

asio::awaitable<void> SmtpSession::report_errors() {
  TranscriptReport report{.program = "SMTP server", .peer = client_text(), .reason = end_reason_};
  const libconf::Result<void> sent = co_await service_.transcripts()->send(transcript_, std::move(report));
  if (!sent) log(Severity::kWarning, concat("postmaster notification: ", sent.error().message));
}

void SmtpSession::log_command(const CommandLine& line) {
  // What comes behind the mechanism may be a password.
  constexpr std::size_t kPublicWords = 2;
  const std::size_t all = line.words().size();
  const bool is_secret = all > kPublicWords && libconf::equals_ignoring_case(line.name(), "AUTH");
  log(Severity::kInfo, concat("< ", client_text(), ": ", line.join(0, is_secret ? kPublicWords : all),
                              is_secret ? " (not shown)" : ""));
}

void SmtpSession::log_reply(std::string_view lines) {
  while (const std::optional<std::string_view> line = libconf::next_word(lines, "\r\n"))
    log(Severity::kInfo, concat("> ", client_text(), ": ", *line));
}

void SmtpSession::warn_of_address(std::string_view command, std::string_view address) {
  log(Severity::kWarning,
      concat("Illegal address syntax from ", client_text(), " in ", command, " command: ", address));
}

void SmtpSession::warn_of_notify(const std::vector<CommandWord>& words) {
  constexpr std::string_view kKeyword = "NOTIFY=";
  // Of several, it is being the second that is wrong with the second.
  const auto first = std::find_if(words.begin(), words.end(), [&](const CommandWord& word) {
    return libconf::equals_ignoring_case(word.text.substr(0, kKeyword.size()), kKeyword);
  });
  if (first == words.end()) return;
  const std::string_view value = std::string_view(first->text).substr(kKeyword.size());
  if (const std::optional<std::string_view> unknown = unknown_notify_word(value))
    log(Severity::kWarning, concat("unknown DSN NOTIFY command value \"", *unknown, "\" in \"", value, "\""));
}

void SmtpSession::log_refused_request(Verb verb, const Reply& reply, const CommandLine& line) {
  for (const RefusalFacts& each : kRefusals) {
    if (each.verb != verb || each.status != reply.enhanced()) continue;
    const std::vector<CommandWord>& words = line.words();
    switch (each.warning) {
      case RefusalWarning::kSize:
        // Of numbers that are too great for a file, Postfix says nothing.
        if (reply.to_string().find(kOverSizeLimit) == std::string::npos) break;
        state_.sender = mail_sender({line, service_.options(), protocol_});
        log_rejected("MAIL", reply.to_string());
        state_.sender.reset();
        break;
      case RefusalWarning::kAddress:
        if (words.size() > kAddressWord && !words[kAddressWord].is_open)
          warn_of_address(words[0].text, words[kAddressWord].text);
        break;
      case RefusalWarning::kVerifiedAddress:
        warn_of_address(words[0].text, verified_text({line, service_.options(), protocol_}));
        break;
      case RefusalWarning::kNotify:
        warn_of_notify(words);
        break;
      case RefusalWarning::kMalformedChunk:
        log(Severity::kWarning, concat(log_id(), ": malformed BDAT command syntax from ", client_text(), ": ",
                                       line.join(0, words.size())));
        break;
      case RefusalWarning::kNullChunk:
        log(Severity::kWarning, concat(log_id(), ": null BDAT request from ", client_text()));
        break;
      case RefusalWarning::kLargeChunk:
        log(Severity::kWarning,
            concat(log_id(), ": BDAT request from ", client_text(), " exceeds message size limit"));
        break;
    }
  }
}

}  // namespace mta
