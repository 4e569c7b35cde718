#include "tools/mta/delivery/envelope_commands.h"

#include <algorithm>
#include <charconv>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/smtp/xtext.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;

void append_address(std::string& out, const std::string& address, bool quotes) {
  out += '<';
  out += quotes ? quote_address(address) : address;
  out += '>';
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// Adds what the server takes and is known to one command.
class XforwardCommand {
 public:
  XforwardCommand(std::string& out, const ServerFeatures& features)
      : out_(out), features_(features), start_(out.size()) {
    out_ += "XFORWARD";
  }
  void add(ForwardedAttribute attribute, std::string_view value) {
    if (value.empty() || !features_.takes(attribute)) return;
    has_any_ = true;
    out_ += ' ';
    out_ += forwarded_attribute_name(attribute);
    out_ += '=';
    out_ += encode_xtext(value);
  }
  void finish() {
    if (has_any_) {
      out_ += "\r\n";
    } else {
      out_.resize(start_);
    }
  }

 private:
  std::string& out_;
  const ServerFeatures& features_;
  std::size_t start_;
  bool has_any_ = false;
};

}  // namespace

bool needs_smtputf8(const DeliveryRequest& request, const std::vector<std::size_t>& recipients) {
  if ((request.send_options & kUtf8Requested) == 0) return false;
  if ((request.send_options & (kUtf8InHeaders | kUtf8InSender)) != 0) return true;
  return std::any_of(recipients.begin(), recipients.end(),
                     [&](std::size_t each) { return !libconf::is_ascii(request.recipients[each].address); });
}

void append_mail_command(std::string& out, const DeliveryRequest& request, const ServerFeatures& features,
                         const MailCommandForm& form) {
  out += "MAIL FROM:";
  append_address(out, request.sender, form.quotes);
  if (features.size_limit() > 0 && request.content_size > 0 && !form.is_converted) {
    out += " SIZE=";
    append_number(out, request.content_size);
  }
  if (features.has(EhloKeyword::k8BitMime)) {
    if (equals_ignoring_case(request.encoding, "8bit")) out += " BODY=8BITMIME";
    if (equals_ignoring_case(request.encoding, "7bit")) out += " BODY=7BIT";
  }
  if (features.has(EhloKeyword::kDsn)) {
    if (!request.envelope_id.empty()) {
      out += " ENVID=";
      out += encode_xtext(request.envelope_id);
    }
    if (request.return_flags != 0)
      out += (request.return_flags & kReturnFull) != 0 ? " RET=FULL" : " RET=HDRS";
  }
  if (features.has(EhloKeyword::kSmtputf8) && (request.send_options & kUtf8Requested) != 0)
    out += " SMTPUTF8";
  if (form.is_dummy_login) out += " AUTH=<>";
  out += "\r\n";
}

void append_rcpt_command(std::string& out, const QueueRecipient& recipient, const ServerFeatures& features,
                         bool quotes) {
  constexpr struct {
    NotifyFlag flag;
    std::string_view name;
  } kNames[] = {{kNotifyNever, "NEVER"},
                {kNotifySuccess, "SUCCESS"},
                {kNotifyFailure, "FAILURE"},
                {kNotifyDelay, "DELAY"}};
  out += "RCPT TO:";
  append_address(out, recipient.address, quotes);
  if (features.has(EhloKeyword::kDsn)) {
    const std::size_t semicolon = recipient.dsn_original.find(';');
    if (semicolon != std::string::npos) {
      out += " ORCPT=";
      out.append(recipient.dsn_original, 0, semicolon + 1);
      out += encode_xtext(std::string_view(recipient.dsn_original).substr(semicolon + 1));
    }
    std::string_view separator = " NOTIFY=";
    for (const auto& [flag, name] : kNames) {
      if ((recipient.notify & flag) == 0) continue;
      out += separator;
      out += name;
      separator = ",";
    }
  }
  out += "\r\n";
}

void append_xforward_client(std::string& out, const DeliveryOrigin& origin, const ServerFeatures& features) {
  XforwardCommand command(out, features);
  command.add(ForwardedAttribute::kName, origin.client_name);
  command.add(ForwardedAttribute::kAddress, origin.client_address);
  command.add(ForwardedAttribute::kPort, origin.client_port);
  command.finish();
}

void append_xforward_session(std::string& out, const DeliveryOrigin& origin, const ServerFeatures& features) {
  XforwardCommand command(out, features);
  command.add(ForwardedAttribute::kProtocol, origin.protocol);
  command.add(ForwardedAttribute::kHelo, origin.helo_name);
  command.add(ForwardedAttribute::kIdent, origin.ident);
  command.add(ForwardedAttribute::kSource, origin.rewrite_context == "local" ? "LOCAL" : "REMOTE");
  command.finish();
}

}  // namespace mta
