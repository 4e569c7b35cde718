#include "tools/mta/submission/postdrop_destination.h"

#include "tools/mta/address/quoting.h"

namespace mta {

using libconf::Result;

Result<std::unique_ptr<MessageDestination>> PostdropDestination::open(const std::string& program) {
  Result<PostdropClient> client = PostdropClient::start(program);
  if (!client) return client.error();
  return std::unique_ptr<MessageDestination>(new PostdropDestination(std::move(*client)));
}

void PostdropDestination::header(std::string_view lines) {
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = lines.find('\n');
    client_.put(RecordType::kLine, lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
}

void PostdropDestination::begin(Envelope envelope) {
  if (!envelope.envelope_id.empty())
    client_.attribute(SubmissionAttribute::kEnvelopeId, envelope.envelope_id);
  if (envelope.return_flags != 0)
    client_.attribute(SubmissionAttribute::kReturn, std::to_string(envelope.return_flags));
  client_.put(RecordType::kSender, envelope.sender);
  if (!envelope.encoding.empty()) client_.attribute(SubmissionAttribute::kEncoding, envelope.encoding);
  if (!envelope.verp_delimiters.empty()) client_.put(RecordType::kVerp, envelope.verp_delimiters);
  for (const EnvelopeRecipient& recipient : envelope.recipients) {
    if (recipient.dsn_notify != 0)
      client_.attribute(SubmissionAttribute::kNotify, std::to_string(recipient.dsn_notify));
    if (!recipient.dsn_original.empty())
      client_.attribute(SubmissionAttribute::kDsnRecipient, recipient.dsn_original);
    client_.put(RecordType::kRecipient, unquote_address(recipient.address));
  }
  client_.put(RecordType::kContent, "");
  for (const std::string& prepended : envelope.actions.prepend) header(prepended);
  header(envelope.received);
}

void PostdropDestination::line(std::string_view text, bool is_continued) {
  client_.put(is_continued ? RecordType::kPartialLine : RecordType::kLine, text);
}

asio::awaitable<IntakeResult> PostdropDestination::finish() {
  client_.put(RecordType::kExtracted, "");
  client_.put(RecordType::kEnd, "");
  const PostdropReply reply = client_.finish();
  if (reply.is_done()) co_return IntakeResult{.kind = IntakeKind::kQueued};
  co_return IntakeResult{.kind = IntakeKind::kRefused,
                         .refusal = {.code = 451, .status = "4.3.0", .text = "Error: " + reply.reason}};
}

}  // namespace mta
