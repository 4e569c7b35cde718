#include "tools/mta/smtp/request.h"

#include <charconv>

#include "libconf/text.h"
#include "tools/mta/address/domain_syntax.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/request_parsers.h"

namespace mta {

namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

Reply reply_without_helo() { return {503, "5.5.1", "Error: send HELO/EHLO first", ErrorClass::kPolicy}; }

Reply reply_in_transaction() { return protocol_error(503, "5.5.1", "Error: MAIL transaction in progress"); }

RequestResult parse_helo(const RequestContext& context, bool is_extended) {
  const std::size_t count = context.line.words().size();
  if (count < 2) return refuse(501, "", is_extended ? "Syntax: EHLO hostname" : "Syntax: HELO hostname");
  return HeloRequest{without_header_specials(context.line.join(1, count)), is_extended};
}

RequestResult parse_plain_helo(const RequestContext& context) { return parse_helo(context, false); }
RequestResult parse_extended_helo(const RequestContext& context) { return parse_helo(context, true); }

RequestResult parse_starttls(const RequestContext& context) {
  if (context.line.words().size() != 1) return refuse(501, "5.5.4", "Syntax: STARTTLS");
  if (context.state.is_tls) return refuse(554, "5.5.1", "Error: TLS already active");
  if (!context.state.offers_tls) return refuse(502, "5.5.1", "Error: command not implemented");
  return StarttlsRequest{};
}

/// Why a command is not at its place. Nothing: it is.
using OrderRefusal = std::optional<Reply>;

OrderRefusal refuse_early_auth(const RequestContext& context) {
  if (context.options.smtpd_helo_required && !context.state.has_helo) return reply_without_helo();
  if (!context.state.offers_auth) return protocol_error(503, "5.5.1", "Error: authentication not enabled");
  if (context.state.has_sender) return reply_in_transaction();
  if (context.state.is_authenticated) return protocol_error(503, "5.5.1", "Error: already authenticated");
  return std::nullopt;
}

RequestResult parse_auth(const RequestContext& context) {
  if (OrderRefusal refusal = refuse_early_auth(context)) return tl::make_unexpected(*std::move(refusal));
  const std::vector<CommandWord>& words = context.line.words();
  if (words.size() < 2 || words.size() > 3) return refuse(501, "5.5.4", "Syntax: AUTH mechanism");
  AuthRequest request{std::string(words[1].text)};
  if (words.size() == 3) request.initial_response = words[2].text;
  return request;
}

/// Without a recipient there can be no content. Nothing: there is one.
std::optional<Reply> refusal_without_recipients(const SessionState& state) {
  if (state.recipients > 0) return std::nullopt;
  if (!state.has_sender) return protocol_error(503, "5.5.1", "Error: need RCPT command");
  return Reply(554, "5.5.1", "Error: no valid recipients");
}

RequestResult parse_data(const RequestContext& context) {
  if (context.state.is_in_chunks) return refuse(503, "5.5.1", "Error: DATA after BDAT");
  if (auto refusal = refusal_without_recipients(context.state))
    return tl::make_unexpected(*std::move(refusal));
  if (context.line.words().size() != 1) return refuse(501, "5.5.4", "Syntax: DATA");
  return DataRequest{};
}

/// A chunk's size: digits that fit a 64-bit signed integer.
std::optional<std::uint64_t> parse_chunk_size(std::string_view text) {
  std::int64_t size = 0;
  if (!libconf::is_all_digits(text)) return std::nullopt;
  if (std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc()) return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

RequestResult parse_bdat(const RequestContext& context) {
  const std::vector<CommandWord>& words = context.line.words();
  // Where the command is not understood, nobody knows where the next one starts: the connection ends.
  if (context.state.discarded.has(EhloKeyword::kChunking)) {
    return refuse(521, "5.5.1", "Error: command not implemented");
  }
  const bool is_last = words.size() == 3 && equals_ignoring_case(words[2].text, "LAST");
  const std::optional<std::uint64_t> size =
      words.size() == 2 || is_last ? parse_chunk_size(words[1].text) : std::nullopt;
  if (!size) return refuse(521, "5.5.4", "Syntax: BDAT count [LAST]");
  BdatRequest request{*size, is_last};
  if (*size == 0 && !is_last) {
    request.refusal = Reply(551, "5.7.1", "Null BDAT request");
  } else if (context.state.is_chunk_failed) {
    request.refusal =
        Reply(551, "5.0.0", concat("Discarded ", std::to_string(*size), " bytes after earlier error"));
  } else {
    request.refusal = refusal_without_recipients(context.state);
  }
  return request;
}

RequestResult parse_rset(const RequestContext& context) {
  if (context.line.words().size() != 1) return refuse(501, "5.5.4", "Syntax: RSET");
  return RsetRequest{};
}

RequestResult parse_noop(const RequestContext&) { return NoopRequest{}; }

RequestResult parse_quit(const RequestContext&) { return QuitRequest{}; }

RequestResult parse_etrn(const RequestContext& context) {
  const std::vector<CommandWord>& words = context.line.words();
  if (context.options.smtpd_helo_required && !context.state.has_helo) {
    return refuse(503, "", "Error: send HELO/EHLO first", ErrorClass::kPolicy);
  }
  if (context.state.has_sender) return refuse(503, "", "Error: MAIL transaction in progress");
  if (words.size() != 2) return refuse(500, "", "Syntax: ETRN domain");
  std::string_view domain = words[1].text;
  if (domain.starts_with('@') || domain.starts_with('#')) domain.remove_prefix(1);
  const bool is_literal = domain.size() >= 2 && domain.front() == '[' && domain.back() == ']';
  const bool is_valid =
      is_literal ? is_smtp_literal(domain.substr(1, domain.size() - 2)) : is_host_name(domain, false);
  if (!is_valid) return refuse(501, "", "Error: invalid parameter syntax");
  return EtrnRequest{std::string(domain)};
}

RequestResult parse_client_attributes(const RequestContext& context, bool is_authorized,
                                      std::string_view name, RequestResult (*parse)(const RequestContext&)) {
  if (context.state.has_sender) return tl::make_unexpected(reply_in_transaction());
  if (context.line.words().size() < 2) {
    return refuse(501, "5.5.4", concat("Syntax: ", name, " attribute=value..."));
  }
  if (!is_authorized) return refuse(550, "5.7.0", "Error: insufficient authorization", ErrorClass::kPolicy);
  return parse(context);
}

RequestResult parse_authorized_xclient(const RequestContext& context) {
  return parse_client_attributes(context, context.state.may_use_xclient, "XCLIENT", parse_xclient);
}

RequestResult parse_authorized_xforward(const RequestContext& context) {
  return parse_client_attributes(context, context.state.may_use_xforward, "XFORWARD", parse_xforward);
}

OrderRefusal refuse_early_mail(const RequestContext& context) {
  if (context.options.smtpd_helo_required && !context.state.has_helo) return reply_without_helo();
  if (context.state.has_sender) return protocol_error(503, "5.5.1", "Error: nested MAIL command");
  if (context.state.is_in_chunks) return protocol_error(503, "5.5.1", "Error: MAIL after BDAT");
  if (!has_address(context.line, "FROM:")) return protocol_error(501, "5.5.4", "Syntax: MAIL FROM:<address>");
  return std::nullopt;
}

RequestResult parse_mail_in_order(const RequestContext& context) {
  if (OrderRefusal refusal = refuse_early_mail(context)) return tl::make_unexpected(*std::move(refusal));
  return parse_mail(context);
}

OrderRefusal refuse_early_rcpt(const RequestContext& context) {
  if (!context.state.has_sender) return protocol_error(503, "5.5.1", "Error: need MAIL command");
  if (context.state.is_in_chunks) return protocol_error(503, "5.5.1", "Error: RCPT after BDAT");
  if (!has_address(context.line, "TO:")) return protocol_error(501, "5.5.4", "Syntax: RCPT TO:<address>");
  return std::nullopt;
}

RequestResult parse_rcpt_in_order(const RequestContext& context) {
  if (OrderRefusal refusal = refuse_early_rcpt(context)) return tl::make_unexpected(*std::move(refusal));
  return parse_rcpt(context);
}

/// What rate limits count.
struct Attempt {
  Verb verb;
  OrderRefusal (*refuse_early)(const RequestContext&);
};

constexpr Attempt kAttempts[] = {
    {Verb::kAuth, refuse_early_auth},
    {Verb::kMail, refuse_early_mail},
    {Verb::kRcpt, refuse_early_rcpt},
};

bool lacks_tls(const Command& command, const SessionState& state) {
  return state.requires_tls && !state.is_tls && !command.works_without_tls;
}

struct Parser {
  Verb verb;
  RequestResult (*parse)(const RequestContext&);
};

constexpr std::array<Parser, kCommands.size()> kParsers = {{
    {Verb::kHelo, parse_plain_helo},
    {Verb::kEhlo, parse_extended_helo},
    {Verb::kXclient, parse_authorized_xclient},
    {Verb::kXforward, parse_authorized_xforward},
    {Verb::kStarttls, parse_starttls},
    {Verb::kAuth, parse_auth},
    {Verb::kMail, parse_mail_in_order},
    {Verb::kRcpt, parse_rcpt_in_order},
    {Verb::kData, parse_data},
    {Verb::kBdat, parse_bdat},
    {Verb::kRset, parse_rset},
    {Verb::kNoop, parse_noop},
    {Verb::kVrfy, parse_vrfy},
    {Verb::kEtrn, parse_etrn},
    {Verb::kQuit, parse_quit},
}};

constexpr bool has_same_order() {
  for (std::size_t i = 0; i < kParsers.size(); ++i) {
    if (kParsers[i].verb != static_cast<Verb>(i) || kCommands[i].verb != static_cast<Verb>(i)) return false;
  }
  return true;
}
static_assert(has_same_order());

}  // namespace

bool is_counted_attempt(const Command& command, const CommandLine& line, const ServerOptions& options,
                        const SessionState& state) {
  if (lacks_tls(command, state)) return false;
  for (const Attempt& attempt : kAttempts)
    if (attempt.verb == command.verb) return !attempt.refuse_early({line, options, state});
  return false;
}

RequestResult parse_request(const Command& command, const CommandLine& line, const ServerOptions& options,
                            const SessionState& state) {
  if (lacks_tls(command, state)) {
    return refuse(530, "5.7.0", "Must issue a STARTTLS command first", {});
  }
  return kParsers[static_cast<std::size_t>(command.verb)].parse({line, options, state});
}

Reply reply_to_empty_line() { return protocol_error(500, "5.5.2", "Error: bad syntax"); }

Reply reply_to_bad_utf8() { return protocol_error(500, "5.5.2", "Error: bad UTF-8 syntax"); }

Reply reply_to_unknown_command() { return protocol_error(500, "5.5.2", "Error: command not recognized"); }

Reply reply_to_forbidden_command() { return {221, "2.7.0", "Error: I can break rules, too. Goodbye."}; }

Reply reply_to_unauthorized_pipelining() { return {554, "5.5.0", "Error: SMTP protocol synchronization"}; }

Reply reply_to_bare_newline(const ServerOptions& options) {
  return {options.smtpd_forbid_bare_newline_reject_code, "5.5.2",
          concat(options.myhostname, " Error: bare <LF> received"), ErrorClass::kProtocol};
}

Reply reply_to_large_message() { return {552, "5.3.4", "Error: message file too big", ErrorClass::kBounce}; }

Reply reply_to_large_chunk() {
  return {552, "5.3.4", "Chunk exceeds message size limit", ErrorClass::kPolicy};
}

}  // namespace mta
