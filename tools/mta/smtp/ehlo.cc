#include "tools/mta/smtp/ehlo.h"

#include "libconf/text.h"

namespace mta {

namespace {

using libconf::concat;
using Lines = std::vector<std::string>;

/// What decides about a keyword.
struct EhloContext {
  const ServerOptions& options;
  const SessionState& state;
  std::string_view mechanisms;
};

/// Adds the lines of one keyword, or none.
using KeywordWriter = void (*)(const EhloContext& context, Lines& lines);

void write_size(const EhloContext& context, Lines& lines) {
  const std::uint64_t limit = context.options.message_size_limit;
  lines.push_back(limit > 0 ? concat("SIZE ", std::to_string(limit)) : "SIZE");
}

void write_vrfy(const EhloContext& context, Lines& lines) {
  if (!context.options.disable_vrfy_command) lines.emplace_back("VRFY");
}

void write_starttls(const EhloContext& context, Lines& lines) {
  if (context.state.offers_tls && !context.state.is_tls) lines.emplace_back("STARTTLS");
}

void write_auth(const EhloContext& context, Lines& lines) {
  if (!context.state.offers_auth || context.mechanisms.empty()) return;
  lines.push_back(concat("AUTH ", context.mechanisms));
  if (context.options.broken_sasl_auth_clients) lines.push_back(concat("AUTH=", context.mechanisms));
}

void write_xverp(const EhloContext& context, Lines& lines) {
  if (context.state.may_use_verp) lines.emplace_back("XVERP");
}

void write_xclient(const EhloContext& context, Lines& lines) {
  if (!context.state.may_use_xclient) return;
  lines.emplace_back("XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT");
}

void write_xforward(const EhloContext& context, Lines& lines) {
  if (context.state.may_use_xforward) lines.emplace_back("XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT");
}

void write_smtputf8(const EhloContext& context, Lines& lines) {
  if (context.options.smtputf8_enable) lines.emplace_back("SMTPUTF8");
}

struct Keyword {
  unsigned discarded_by;  ///< An EhloKeyword; 0: none.
  std::string_view text;  ///< Without a writer, the line.
  KeywordWriter write;
};

constexpr unsigned bit(EhloKeyword keyword) { return static_cast<unsigned>(keyword); }

constexpr Keyword kKeywords[] = {
    {bit(EhloKeyword::kPipelining), "PIPELINING", nullptr},
    {bit(EhloKeyword::kSize), {}, write_size},
    {bit(EhloKeyword::kVrfy), {}, write_vrfy},
    {bit(EhloKeyword::kEtrn), "ETRN", nullptr},
    {bit(EhloKeyword::kStarttls), {}, write_starttls},
    {bit(EhloKeyword::kAuth), {}, write_auth},
    {0, {}, write_xverp},
    {bit(EhloKeyword::kXclient), {}, write_xclient},
    {bit(EhloKeyword::kXforward), {}, write_xforward},
    {bit(EhloKeyword::kEnhancedStatusCodes), "ENHANCEDSTATUSCODES", nullptr},
    {bit(EhloKeyword::k8BitMime), "8BITMIME", nullptr},
    {bit(EhloKeyword::kDsn), "DSN", nullptr},
    {bit(EhloKeyword::kSmtputf8), {}, write_smtputf8},
    {bit(EhloKeyword::kChunking), "CHUNKING", nullptr},
};

}  // namespace

std::vector<std::string> ehlo_keywords(const ServerOptions& options, const SessionState& state,
                                       std::string_view mechanisms) {
  const EhloContext context{options, state, mechanisms};
  Lines lines;
  for (const Keyword& keyword : kKeywords) {
    if (keyword.discarded_by != 0 && state.discarded.has(static_cast<EhloKeyword>(keyword.discarded_by)))
      continue;
    if (keyword.write) {
      keyword.write(context, lines);
    } else {
      lines.emplace_back(keyword.text);
    }
  }
  return lines;
}

Reply ehlo_reply(const ServerOptions& options, const SessionState& state, std::string_view mechanisms) {
  std::string text = options.myhostname;
  for (const std::string& line : ehlo_keywords(options, state, mechanisms)) text += concat("\n", line);
  return {250, "", text};
}

Reply helo_reply(const ServerOptions& options) { return {250, "", options.myhostname}; }

Reply greeting(const ServerOptions& options) { return {220, "", options.smtpd_banner}; }

}  // namespace mta
