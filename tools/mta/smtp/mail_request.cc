// MAIL, RCPT and VRFY: an address, and the parameters of RFC 1870, 3461, 4954, 6152 and 6531.
#include <algorithm>
#include <charconv>
#include <limits>

#include "libconf/text.h"
#include "libmaps/utf8.h"
#include "tools/mta/smtp/path.h"
#include "tools/mta/smtp/request_parsers.h"
#include "tools/mta/smtp/xtext.h"

namespace mta {

namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

constexpr std::string_view kSmtputf8 = "SMTPUTF8";

/// What the address of a command must be.
struct AddressRules {
  PathOptions path;
  bool is_utf8 = false;  ///< SMTPUTF8 was asked for.
  Reply bad_syntax;
};

/// The address in `text`, in internal form. Error: the reply.
tl::expected<std::string, Reply> parse_address(std::string_view text, const AddressRules& rules) {
  std::optional<std::string> address = parse_path(text, rules.path);
  if (!address || !libmaps::is_utf8(*address) || !has_valid_domain(*address, {rules.is_utf8})) {
    return tl::make_unexpected(rules.bad_syntax);
  }
  return *std::move(address);
}

/// Nothing: the command is good.
using Refusal = std::optional<Reply>;

/// strict_smtputf8: an address beyond ASCII needs SMTPUTF8.
Refusal refusal_of_utf8(std::string_view address, bool is_utf8, const ServerOptions& options) {
  if (!options.strict_smtputf8 || is_utf8 || libconf::is_ascii(address)) return std::nullopt;
  return Reply(553, "5.6.7", "Must declare SMTPUTF8 to send unicode address");
}

PathOptions path_options(const ServerOptions& options) {
  return {.is_strict = options.strict_rfc821_envelopes, .allows_leading_hyphen = options.allow_min_user};
}

/// A parameter of MAIL or RCPT: `KEYWORD` or `KEYWORD=value`.
struct Parameter {
  explicit Parameter(std::string_view word)
      : text(word),
        keyword(word.substr(0, word.find('='))),
        has_value(keyword.size() < word.size()),
        value(has_value ? word.substr(keyword.size() + 1) : std::string_view()) {}

  std::string_view text;
  std::string_view keyword;
  bool has_value;
  std::string_view value;
};

Reply dsn_is_disabled() { return protocol_error(501, "5.7.1", "DSN support is disabled"); }

Reply unsupported(const Parameter& parameter) {
  return protocol_error(555, "5.5.4", concat("Unsupported option: ", parameter.text));
}

/// Reads one parameter into a request of type T.
template <class T>
struct ParameterReader {
  std::string_view keyword;
  bool takes_value;
  Refusal (*read)(const Parameter& parameter, const RequestContext& context, T& request);
};

Refusal read_size(const Parameter& parameter, const RequestContext&, MailRequest& request) {
  constexpr auto kMaxSize = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::string_view digits = parameter.value;
  if (!libconf::is_all_digits(digits)) return protocol_error(501, "5.5.4", "Bad message size syntax");
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), request.size);
  if (error != std::errc() || request.size > kMaxSize) {
    return Reply(552, "5.3.4", "Message size exceeds file system imposed limit", ErrorClass::kPolicy);
  }
  return std::nullopt;
}

Refusal read_body(const Parameter& parameter, const RequestContext&, MailRequest& request) {
  if (equals_ignoring_case(parameter.value, "8BITMIME")) {
    request.body = BodyType::k8BitMime;
  } else if (equals_ignoring_case(parameter.value, "7BIT")) {
    request.body = BodyType::k7Bit;
  } else {
    return unsupported(parameter);
  }
  return std::nullopt;
}

Refusal read_auth(const Parameter& parameter, const RequestContext&, MailRequest& request) {
  if (parameter.value == "<>") return std::nullopt;
  if (request.submitter) return protocol_error(503, "5.5.4", "Error: multiple AUTH= options");
  request.submitter = parameter.value;
  return std::nullopt;
}

Refusal read_ret(const Parameter& parameter, const RequestContext& context, MailRequest& request) {
  if (context.state.discarded.has(EhloKeyword::kDsn)) return dsn_is_disabled();
  if (request.dsn_return == DsnReturn::kUnspecified) {
    if (equals_ignoring_case(parameter.value, "FULL")) request.dsn_return = DsnReturn::kFull;
    if (equals_ignoring_case(parameter.value, "HDRS")) request.dsn_return = DsnReturn::kHeaders;
    if (request.dsn_return != DsnReturn::kUnspecified) return std::nullopt;
  }
  return protocol_error(501, "5.5.4", "Bad RET parameter syntax");
}

Refusal read_envid(const Parameter& parameter, const RequestContext& context, MailRequest& request) {
  if (context.state.discarded.has(EhloKeyword::kDsn)) return dsn_is_disabled();
  std::optional<std::string> id = decode_xtext(parameter.value);
  if (id) id->resize(std::min(id->find('\0'), id->size()));
  const bool is_printable =
      id && std::all_of(id->begin(), id->end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!is_printable || id->empty() || !request.envelope_id.empty()) {
    return protocol_error(501, "5.5.4", "Bad ENVID parameter syntax");
  }
  request.envelope_id = *std::move(id);
  return std::nullopt;
}

// Seen before, as the address depends on it; see asks_for_utf8().
Refusal read_smtputf8(const Parameter& parameter, const RequestContext& context, MailRequest&) {
  if (!context.offers_utf8()) return unsupported(parameter);
  return std::nullopt;
}

// VERP_README: `XVERP`, or `XVERP=` and two delimiters.
Refusal read_xverp(const Parameter& parameter, const RequestContext& context, MailRequest& request) {
  if (!context.state.may_use_verp) return unsupported(parameter);
  const ServerOptions& options = context.options;
  const std::string_view delimiters =
      parameter.has_value ? parameter.value : std::string_view(options.default_verp_delimiters);
  if (parameter.has_value &&
      (delimiters.size() != 2 ||
       delimiters.find_first_not_of(options.verp_delimiter_filter) != std::string_view::npos)) {
    return protocol_error(501, "5.5.4",
                          concat("Error: XVERP needs two characters from ", options.verp_delimiter_filter));
  }
  request.verp_delimiters = delimiters;
  return std::nullopt;
}

constexpr ParameterReader<MailRequest> kMailParameters[] = {
    {"BODY", true, read_body},         {"SIZE", true, read_size},    {"AUTH", true, read_auth},
    {kSmtputf8, false, read_smtputf8}, {"XVERP", false, read_xverp}, {"XVERP", true, read_xverp},
    {"RET", true, read_ret},           {"ENVID", true, read_envid},
};

struct NotifyName {
  std::string_view name;
  unsigned flag;
};
constexpr NotifyName kNotifyNames[] = {
    {"NEVER", DsnNotify::kNever},
    {"SUCCESS", DsnNotify::kSuccess},
    {"FAILURE", DsnNotify::kFailure},
    {"DELAY", DsnNotify::kDelay},
};

/// 0: there is none.
unsigned notify_flag(std::string_view word) {
  const auto* const known =
      std::find_if(std::begin(kNotifyNames), std::end(kNotifyNames),
                   [&](const NotifyName& n) { return equals_ignoring_case(word, n.name); });
  return known == std::end(kNotifyNames) ? 0 : static_cast<unsigned>(known->flag);
}

/// 0: the list is malformed.
unsigned parse_notify(std::string_view list) {
  if (unknown_notify_word(list)) return 0;
  unsigned flags = 0;
  while (const std::optional<std::string_view> word = libconf::next_word(list, ","))
    flags |= notify_flag(*word);
  const bool is_contradiction = (flags & DsnNotify::kNever) != 0 && flags != DsnNotify::kNever;
  return is_contradiction ? 0 : flags;
}

Refusal read_notify(const Parameter& parameter, const RequestContext& context, RcptRequest& request) {
  if (context.state.discarded.has(EhloKeyword::kDsn)) return dsn_is_disabled();
  const unsigned flags = request.notify == 0 ? parse_notify(parameter.value) : 0;
  if (flags == 0) return protocol_error(501, "5.5.4", "Error: Bad NOTIFY parameter syntax");
  request.notify = flags;
  return std::nullopt;
}

/// `type;address`, the address decoded. Nothing: malformed.
std::optional<std::string> parse_original_recipient(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (semicolon == 0 || semicolon == std::string_view::npos) return std::nullopt;
  const std::string_view type = text.substr(0, semicolon);
  const std::string_view address = text.substr(semicolon + 1);
  const std::optional<std::string> decoded =
      equals_ignoring_case(type, "utf-8") ? decode_utf8_xtext(address) : decode_xtext(address);
  if (!decoded) return std::nullopt;
  // A queue file holds it in one line.
  constexpr std::string_view kEnds("\n\0", 2);
  return concat(type, ";", std::string_view(*decoded).substr(0, decoded->find_first_of(kEnds)));
}

Refusal read_orcpt(const Parameter& parameter, const RequestContext& context, RcptRequest& request) {
  if (context.state.discarded.has(EhloKeyword::kDsn)) return dsn_is_disabled();
  std::optional<std::string> recipient = parse_original_recipient(parameter.value);
  if (!recipient || !request.original_recipient.empty()) {
    return protocol_error(501, "5.5.4", "Error: Bad ORCPT parameter syntax");
  }
  request.original_recipient = *std::move(recipient);
  return std::nullopt;
}

constexpr ParameterReader<RcptRequest> kRcptParameters[] = {
    {"NOTIFY", true, read_notify},
    {"ORCPT", true, read_orcpt},
};

/// Reads the words from number `first` on.
template <class T, std::size_t count>
Refusal read_parameters(const ParameterReader<T> (&readers)[count], std::size_t first,
                        const RequestContext& context, T& request) {
  const std::vector<CommandWord>& words = context.line.words();
  for (std::size_t i = first; i < words.size(); ++i) {
    const Parameter parameter(words[i].text);
    const auto* const reader =
        std::find_if(std::begin(readers), std::end(readers), [&](const ParameterReader<T>& r) {
          return r.takes_value == parameter.has_value && equals_ignoring_case(parameter.keyword, r.keyword);
        });
    if (reader == std::end(readers)) return unsupported(parameter);
    if (Refusal refusal = reader->read(parameter, context, request)) return refusal;
  }
  return std::nullopt;
}

constexpr std::size_t kAddressWord = 2;  ///< "MAIL", "FROM:", address

bool asks_for_utf8(const RequestContext& context) {
  const std::vector<CommandWord>& words = context.line.words();
  return context.offers_utf8() &&
         std::any_of(words.begin() + kAddressWord + 1, words.end(),
                     [](const CommandWord& word) { return equals_ignoring_case(word.text, kSmtputf8); });
}

/// The address of MAIL or RCPT.
tl::expected<std::string, Reply> parse_envelope_address(const RequestContext& context, bool is_utf8,
                                                        const Reply& bad_syntax) {
  const CommandWord& word = context.line.words()[kAddressWord];
  if (word.is_open) return tl::make_unexpected(bad_syntax);
  return parse_address(word.text, {path_options(context.options), is_utf8, bad_syntax});
}

}  // namespace

bool has_address(const CommandLine& line, std::string_view keyword) {
  return line.words().size() > kAddressWord && equals_ignoring_case(line.words()[1].text, keyword);
}

RequestResult parse_mail(const RequestContext& context) {
  MailRequest request;
  request.is_utf8 = asks_for_utf8(context);
  auto sender = parse_envelope_address(context, request.is_utf8,
                                       protocol_error(501, "5.1.7", "Bad sender address syntax"));
  if (!sender) return tl::make_unexpected(std::move(sender.error()));
  request.sender = *std::move(sender);
  if (Refusal refusal = read_parameters(kMailParameters, kAddressWord + 1, context, request)) {
    return tl::make_unexpected(*std::move(refusal));
  }
  if (!request.verp_delimiters.empty() && request.sender.empty()) {
    return refuse(503, "5.5.4", "Error: XVERP requires non-null sender", {});
  }
  const std::uint64_t limit = context.options.message_size_limit;
  if (limit > 0 && request.size > limit) return refuse(552, "5.3.4", kOverSizeLimit, ErrorClass::kPolicy);
  if (Refusal refusal = refusal_of_utf8(request.sender, request.is_utf8, context.options)) {
    return tl::make_unexpected(*std::move(refusal));
  }
  return request;
}

std::optional<std::string> mail_sender(const RequestContext& context) {
  auto sender = parse_envelope_address(context, asks_for_utf8(context), Reply(501, "", ""));
  if (!sender) return std::nullopt;
  return *std::move(sender);
}

RequestResult parse_rcpt(const RequestContext& context) {
  const Reply bad_syntax = protocol_error(501, "5.1.3", "Bad recipient address syntax");
  RcptRequest request;
  auto recipient = parse_envelope_address(context, context.state.is_utf8_message, bad_syntax);
  if (!recipient) return tl::make_unexpected(std::move(recipient.error()));
  if (recipient->empty()) return tl::make_unexpected(bad_syntax);
  request.recipient = *std::move(recipient);
  if (Refusal refusal = read_parameters(kRcptParameters, kAddressWord + 1, context, request)) {
    return tl::make_unexpected(*std::move(refusal));
  }
  if (Refusal refusal = refusal_of_utf8(request.recipient, context.state.is_utf8_message, context.options)) {
    return tl::make_unexpected(*std::move(refusal));
  }
  return request;
}

std::optional<std::string_view> unknown_notify_word(std::string_view value) {
  while (const std::optional<std::string_view> word = libconf::next_word(value, ","))
    if (notify_flag(*word) == 0) return word;
  return std::nullopt;
}

namespace {

bool ends_with_utf8(const RequestContext& context) {
  return context.offers_utf8() && equals_ignoring_case(context.line.words().back().text, kSmtputf8);
}

}  // namespace

std::string verified_text(const RequestContext& context) {
  return context.line.join(1, context.line.words().size() - (ends_with_utf8(context) ? 1 : 0));
}

RequestResult parse_vrfy(const RequestContext& context) {
  const Reply bad_syntax = protocol_error(501, "5.1.3", "Bad recipient address syntax");
  if (context.options.disable_vrfy_command)
    return refuse(502, "5.5.1", "VRFY command is disabled", ErrorClass::kPolicy);
  const bool is_utf8 = ends_with_utf8(context);
  std::string text = verified_text(context);
  if (text.empty()) {
    return refuse(501, "5.5.4",
                  context.offers_utf8() ? "Syntax: VRFY address [SMTPUTF8]" : "Syntax: VRFY address");
  }
  auto address =
      parse_address(text, {{.allows_leading_hyphen = context.options.allow_min_user}, is_utf8, bad_syntax});
  if (!address) return tl::make_unexpected(std::move(address.error()));
  if (address->empty()) return tl::make_unexpected(bad_syntax);
  if (Refusal refusal = refusal_of_utf8(*address, is_utf8, context.options)) {
    return tl::make_unexpected(*std::move(refusal));
  }
  return VrfyRequest{*std::move(address), std::move(text)};
}

}  // namespace mta
