#include "tools/mta/access/policy_protocol.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/smtp/xtext.h"

namespace mta {
namespace {

using libconf::concat;

class Request {
 public:
  void add(std::string_view name, std::string_view value) {
    text_ += concat(name, "=");
    for (const char c : value) text_ += c == '\n' || c == '\0' ? '?' : c;
    text_ += '\n';
  }
  std::string finish() && { return std::move(text_) + "\n"; }

 private:
  std::string text_;
};

}  // namespace

std::string_view command_name(const SmtpdState& state) {
  switch (state.stage) {
    case SmtpStage::kConnect:
      return "CONNECT";
    case SmtpStage::kXclient:
      return "XCLIENT";
    case SmtpStage::kHelo:
      return "HELO";
    case SmtpStage::kEhlo:
      return "EHLO";
    case SmtpStage::kMail:
      return "MAIL";
    case SmtpStage::kRcpt:
      return "RCPT";
    case SmtpStage::kData:
      return "DATA";
    case SmtpStage::kEndOfData:
      return "END-OF-MESSAGE";
    case SmtpStage::kEtrn:
      return "ETRN";
    case SmtpStage::kVrfy:
      return "VRFY";
  }
  return "";
}

std::string format_policy_request(const SmtpdState& state, std::string_view policy_context,
                                  const PolicyVersions& versions) {
  const bool knows_count = state.stage == SmtpStage::kData || state.stage == SmtpStage::kEndOfData;
  Request request;
  request.add("request", "smtpd_access_policy");
  request.add("protocol_state", command_name(state));
  request.add("protocol_name", state.protocol);
  request.add("client_address", state.client.address);
  request.add("client_name", state.client.name);
  request.add("client_port", state.client.port);
  request.add("reverse_client_name", state.client.reverse_name);
  request.add("server_address", state.server_address);
  request.add("server_port", state.server_port);
  request.add("helo_name", state.helo.value_or(""));
  request.add("sender", state.sender.value_or(""));
  request.add("recipient", state.recipient.value_or(""));
  request.add("recipient_count", std::to_string(knows_count ? state.recipient_count : 0));
  request.add("queue_id", state.queue_id);
  request.add("instance", state.instance);
  request.add("size", std::to_string(state.size));
  request.add("etrn_domain", state.etrn_domain);
  request.add("stress", state.is_under_stress ? "yes" : "");
  request.add("sasl_method", state.sasl.method);
  request.add("sasl_username", state.sasl.username);
  request.add("sasl_sender", state.sasl.sender);
  // Names count where an authority vouches for them.
  const bool is_trusted = state.tls.is_certificate_trusted;
  request.add("ccert_subject", is_trusted ? encode_xtext(state.tls.certificate_subject) : "");
  request.add("ccert_issuer", is_trusted ? encode_xtext(state.tls.certificate_issuer) : "");
  request.add("ccert_fingerprint", encode_xtext(state.tls.certificate_fingerprint));
  request.add("ccert_pubkey_fingerprint", encode_xtext(state.tls.public_key_fingerprint));
  request.add("encryption_protocol", state.tls.protocol);
  request.add("encryption_cipher", state.tls.cipher);
  request.add("encryption_keysize", std::to_string(state.tls.key_bits));
  request.add("policy_context", policy_context);
  request.add("compatibility_level", versions.compatibility_level);
  request.add("mail_version", versions.mail_version);
  return std::move(request).finish();
}

std::size_t policy_reply_length(std::string_view text) {
  if (text.starts_with('\n')) return 1;
  const std::size_t end = text.find("\n\n");
  return end == std::string_view::npos ? 0 : end + 2;
}

std::optional<std::string> parse_policy_reply(std::string_view reply) {
  while (!reply.empty() && !reply.starts_with('\n')) {
    const std::size_t end = std::min(reply.find('\n'), reply.size());
    const std::string_view line = reply.substr(0, end);
    constexpr std::string_view kAction = "action=";
    if (line.starts_with(kAction)) return std::string(line.substr(kAction.size()));
    reply.remove_prefix(std::min(end + 1, reply.size()));
  }
  return std::nullopt;
}

}  // namespace mta
