/// The readers of the larger commands, for parse_request() alone.
#pragma once

#include "tools/mta/smtp/request.h"

namespace mta {

/// What every reader looks at.
struct RequestContext {
  const CommandLine& line;
  const ServerOptions& options;
  const SessionState& state;

  /// SMTPUTF8 may be used.
  bool offers_utf8() const { return options.smtputf8_enable && !state.discarded.has(EhloKeyword::kSmtputf8); }
};

/// Whether the line is "MAIL FROM:address" or "RCPT TO:address", with anything behind it. `keyword`: "FROM:".
bool has_address(const CommandLine& line, std::string_view keyword);

/// What is said of a message that the client says to be larger than message_size_limit.
inline constexpr std::string_view kOverSizeLimit = "Message size exceeds fixed limit";

/// The address of MAIL, in internal form; nothing: it is malformed. REQUIRES: has_address().
std::optional<std::string> mail_sender(const RequestContext& context);

/// REQUIRES: has_address().
RequestResult parse_mail(const RequestContext& context);
RequestResult parse_rcpt(const RequestContext& context);

/// The first word of a NOTIFY value that is none of RFC 3461's; nothing: there is none.
std::optional<std::string_view> unknown_notify_word(std::string_view value);

/// What VRFY asks for: the words behind it, but for SMTPUTF8. Empty: there is nothing.
std::string verified_text(const RequestContext& context);
RequestResult parse_vrfy(const RequestContext& context);
RequestResult parse_xclient(const RequestContext& context);
RequestResult parse_xforward(const RequestContext& context);

/// The reply to a command that is malformed, or not at its place.
inline Reply protocol_error(int code, std::string_view enhanced, std::string_view text) {
  return {code, enhanced, text, ErrorClass::kProtocol};
}

/// The refusal of a command, as RequestResult wants it.
inline tl::unexpected<Reply> refuse(int code, std::string_view enhanced, std::string_view text,
                                    ErrorClasses classes = ErrorClass::kProtocol) {
  return tl::make_unexpected(Reply(code, enhanced, text, classes));
}

/// `text` with '?' for everything that is special in a message header: controls, white space, quotes and
/// brackets, and what is not UTF-8.
std::string without_header_specials(std::string_view text);

}  // namespace mta
