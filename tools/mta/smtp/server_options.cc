#include "tools/mta/smtp/server_options.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace mta {

namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Error;
using libconf::Result;
using libconf::Settings;

struct KeywordName {
  std::string_view name;
  EhloKeyword keyword;
};
/// In the order in which Postfix logs them.
constexpr KeywordName kKeywordNames[] = {
    {"8BITMIME", EhloKeyword::k8BitMime}, {"AUTH", EhloKeyword::kAuth},
    {"ETRN", EhloKeyword::kEtrn},         {"PIPELINING", EhloKeyword::kPipelining},
    {"SIZE", EhloKeyword::kSize},         {"VRFY", EhloKeyword::kVrfy},
    {"XCLIENT", EhloKeyword::kXclient},   {"XFORWARD", EhloKeyword::kXforward},
    {"STARTTLS", EhloKeyword::kStarttls}, {"ENHANCEDSTATUSCODES", EhloKeyword::kEnhancedStatusCodes},
    {"DSN", EhloKeyword::kDsn},           {"SMTPUTF8", EhloKeyword::kSmtputf8},
    {"CHUNKING", EhloKeyword::kChunking},
};

struct BoolParameter {
  const char* name;
  bool ServerOptions::*member;
};
constexpr BoolParameter kBoolParameters[] = {
    {"allow_min_user", &ServerOptions::allow_min_user},
    {"broken_sasl_auth_clients", &ServerOptions::broken_sasl_auth_clients},
    {"disable_vrfy_command", &ServerOptions::disable_vrfy_command},
    {"smtpd_client_port_logging", &ServerOptions::smtpd_client_port_logging},
    {"smtpd_delay_open_until_valid_rcpt", &ServerOptions::smtpd_delay_open_until_valid_rcpt},
    {"smtpd_forbid_unauth_pipelining", &ServerOptions::smtpd_forbid_unauth_pipelining},
    {"smtpd_hide_client_session", &ServerOptions::smtpd_hide_client_session},
    {"smtpd_helo_required", &ServerOptions::smtpd_helo_required},
    {"smtputf8_enable", &ServerOptions::smtputf8_enable},
    {"strict_rfc821_envelopes", &ServerOptions::strict_rfc821_envelopes},
    {"strict_smtputf8", &ServerOptions::strict_smtputf8},
};

struct TextParameter {
  const char* name;
  std::string ServerOptions::*member;
};
constexpr TextParameter kTextParameters[] = {
    {"default_verp_delimiters", &ServerOptions::default_verp_delimiters},
    {"flush_service_name", &ServerOptions::flush_service_name},
    {"myhostname", &ServerOptions::myhostname},
    {"smtpd_banner", &ServerOptions::smtpd_banner},
    {"verp_delimiter_filter", &ServerOptions::verp_delimiter_filter},
};

bool has_word(const std::vector<std::string>& words, std::string_view word) {
  return std::any_of(words.begin(), words.end(),
                     [word](const std::string& w) { return equals_ignoring_case(w, word); });
}

}  // namespace

DiscardedKeywords DiscardedKeywords::parse(std::string_view list) {
  DiscardedKeywords discarded;
  while (const std::optional<std::string_view> word = libconf::next_word(list, libconf::kListSeparators)) {
    if (equals_ignoring_case(*word, "silent-discard")) discarded.is_silent_ = true;
    for (const KeywordName& known : kKeywordNames) {
      if (equals_ignoring_case(*word, known.name)) discarded.bits_ |= static_cast<unsigned>(known.keyword);
    }
  }
  return discarded;
}

std::string DiscardedKeywords::to_string() const {
  std::string out;
  for (const KeywordName& known : kKeywordNames)
    if (has(known.keyword)) out += concat(out.empty() ? "" : " ", known.name);
  return out;
}

Result<ServerOptions> read_server_options(const Settings& settings) {
  ServerOptions options;
  for (const BoolParameter& parameter : kBoolParameters) {
    const Result<bool> value = settings.get_bool(parameter.name);
    if (!value) return value.error();
    options.*parameter.member = *value;
  }
  for (const TextParameter& parameter : kTextParameters) {
    Result<std::string> value = settings.get(parameter.name);
    if (!value) return value.error();
    options.*parameter.member = *std::move(value);
  }
  const auto message_size_limit = settings.get_int("message_size_limit");
  if (!message_size_limit) return message_size_limit.error();
  options.message_size_limit = static_cast<std::uint64_t>(*message_size_limit);
  const auto line_length_limit = settings.get_int("line_length_limit");
  if (!line_length_limit) return line_length_limit.error();
  options.line_length_limit = static_cast<std::size_t>(*line_length_limit);
  const auto ipc_timeout = settings.get_duration("ipc_timeout");
  if (!ipc_timeout) return ipc_timeout.error();
  options.ipc_timeout = *ipc_timeout;
  const auto reject_code = settings.get_int("smtpd_forbid_bare_newline_reject_code");
  if (!reject_code) return reject_code.error();
  options.smtpd_forbid_bare_newline_reject_code = static_cast<int>(*reject_code);
  const auto bare_newline = settings.get("smtpd_forbid_bare_newline");
  if (!bare_newline) return bare_newline.error();
  const std::optional<BareNewline> mode = parse_bare_newline(*bare_newline);
  if (!mode) {
    return Error{libconf::ErrorKind::kConfiguration,
                 concat("bad configuration: smtpd_forbid_bare_newline = ", *bare_newline)};
  }
  options.smtpd_forbid_bare_newline = *mode;
  const auto protocols = settings.get_list("inet_protocols");
  if (!protocols) return protocols.error();
  const bool has_all = has_word(*protocols, "all");
  options.has_ipv4 = has_all || has_word(*protocols, "ipv4");
  options.has_ipv6 = has_all || has_word(*protocols, "ipv6");
  return options;
}

}  // namespace mta
