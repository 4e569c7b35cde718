#include "tools/mta/content/content_log.h"

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::size_t kTextLength = 200;
constexpr std::size_t kFaultTextLength = 100;
constexpr std::size_t kDeliveryTextLength = 60;

/// Postfix's texts are C strings.
std::string_view shown(std::string_view text, std::size_t length) {
  return text.substr(0, text.find('\0')).substr(0, length);
}

std::string origin(const MessageContext& context) {
  std::string out = concat(" from ", context.client, "; from=<", context.sender, ">");
  if (!context.recipient.empty()) out += concat(" to=<", context.recipient, ">");
  return out;
}

}  // namespace

std::string content_log_line(const ContentFinding& finding, const MessageContext& context) {
  std::string out = concat(context.queue_id, ": ", finding.verdict, ": ", finding.subject, " ",
                           shown(finding.text, kTextLength), origin(context));
  if (!context.protocol.empty()) out += concat(" proto=", context.protocol);
  if (!context.helo.empty()) out += concat(" helo=<", context.helo, ">");
  if (!finding.reason.empty()) out += concat(": ", finding.reason);
  return out;
}

std::string delivery_check_log_line(std::string_view queue_id, const ContentFinding& finding) {
  return concat(queue_id, ": ", finding.verdict, ": ", finding.subject, " ",
                shown(finding.text, kDeliveryTextLength), finding.reason.empty() ? "" : ": ", finding.reason);
}

std::string mime_fault_log_line(std::string_view fault, std::string_view text,
                                const MessageContext& context) {
  return concat(context.queue_id, ": reject: mime-error ", fault, ": ", shown(text, kFaultTextLength),
                origin(context));
}

std::string milter_log_line(const MilterFinding& finding) {
  std::string out = concat(finding.queue_id.empty() ? "NOQUEUE" : finding.queue_id, ": ", finding.verdict,
                           ": ", finding.stage, " from ", finding.client, ": ", finding.text, ";");
  if (finding.sender) out += concat(" from=<", *finding.sender, ">");
  if (finding.recipient) out += concat(" to=<", *finding.recipient, ">");
  if (!finding.protocol.empty()) out += concat(" proto=", finding.protocol);
  if (!finding.helo.empty()) out += concat(" helo=<", finding.helo, ">");
  return out;
}

}  // namespace mta
