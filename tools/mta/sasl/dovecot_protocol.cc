#include "tools/mta/sasl/dovecot_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "libconf/text.h"
#include "libmaps/base64.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::string_view kBackendError = "Authentication backend error";
constexpr std::string_view kNoReason = "(reason unavailable)";
constexpr int kMajorVersion = 1;

/// The escapes of parameters: '\001' and a letter.
struct Escape {
  char letter;
  char meaning;
};
constexpr std::array<Escape, 5> kEscapes = {
    {{'0', '\0'}, {'1', '\001'}, {'t', '\t'}, {'r', '\r'}, {'l', '\n'}}};

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto* const found =
        std::find_if(kEscapes.begin(), kEscapes.end(), [&](Escape each) { return each.meaning == c; });
    if (found == kEscapes.end()) {
      out += c;
    } else {
      out += '\001';
      out += found->letter;
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\001') {
      out += text[i];
    } else if (++i < text.size()) {
      const auto* const found =
          std::find_if(kEscapes.begin(), kEscapes.end(), [&](Escape each) { return each.letter == text[i]; });
      out += found == kEscapes.end() ? text[i] : found->meaning;
    }
  }
  return out;
}

/// Takes a field off the front of `rest`; nothing when there is none, which is not an empty one.
std::optional<std::string_view> next_field(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const std::size_t tab = rest->find('\t');
  const std::string_view field = rest->substr(0, tab);
  if (tab == std::string_view::npos) {
    rest.reset();
  } else {
    rest->remove_prefix(tab + 1);
  }
  return field;
}

template <class Number>
std::optional<Number> parse_number(std::optional<std::string_view> text) {
  Number number = 0;
  if (!text || !libconf::is_all_digits(*text)) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

std::string capitals(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

struct MechanismFlag {
  std::string_view name;
  bool DovecotMechanism::*member;
};
constexpr std::array<MechanismFlag, 7> kMechanismFlags = {{
    {"plaintext", &DovecotMechanism::is_plaintext},
    {"active", &DovecotMechanism::is_active},
    {"dictionary", &DovecotMechanism::is_dictionary},
    {"anonymous", &DovecotMechanism::is_anonymous},
    {"forward-secrecy", &DovecotMechanism::has_forward_secrecy},
    {"mutual-auth", &DovecotMechanism::has_mutual_auth},
    {"private", &DovecotMechanism::is_private},
}};

/// What a failure may be beside a wrong password; said by a boolean, since Dovecot 2.3 by a code.
struct FailureCause {
  std::string_view flag;
  std::string_view code;
  SaslAnswer::Kind kind;
  std::string_view reason;
};
constexpr std::array<FailureCause, 4> kFailureCauses = {{
    {"temp", "temp_fail", SaslAnswer::Kind::kTemporary, kNoReason},
    {"authz", "authz_fail", SaslAnswer::Kind::kFailure, "authorization failed"},
    {"user_disabled", "user_disabled", SaslAnswer::Kind::kFailure, "user account is disabled"},
    {"pass_expired", "pass_expired", SaslAnswer::Kind::kFailure, "password has expired"},
}};

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\177'; });
}

SaslAnswer backend_error() {
  return {.kind = SaslAnswer::Kind::kTemporary, .text = std::string(kBackendError)};
}

SaslAnswer read_challenge(std::optional<std::string_view> rest) {
  const std::optional<std::string_view> field = next_field(rest);
  if (!field) return backend_error();
  std::optional<std::string> challenge = libmaps::decode_base64(*field);
  if (!challenge) return backend_error();
  return {.kind = SaslAnswer::Kind::kChallenge, .text = std::move(*challenge)};
}

/// The value of NAME=VALUE, if it has that name.
std::optional<std::string> value_of(std::string_view field, std::string_view name) {
  if (!field.starts_with(name) || field.substr(name.size(), 1) != "=") return std::nullopt;
  return unescape(field.substr(name.size() + 1));
}

SaslAnswer read_success(std::optional<std::string_view> rest) {
  SaslAnswer answer{.kind = SaslAnswer::Kind::kSuccess};
  while (const std::optional<std::string_view> field = next_field(rest)) {
    if (std::optional<std::string> user = value_of(*field, "user")) answer.username = std::move(*user);
  }
  if (answer.username.empty() || has_control_character(answer.username)) return backend_error();
  return answer;
}

SaslAnswer read_failure(std::optional<std::string_view> rest) {
  SaslAnswer answer{.kind = SaslAnswer::Kind::kFailure};
  std::string_view default_reason = kNoReason;
  while (const std::optional<std::string_view> field = next_field(rest)) {
    const std::optional<std::string> code = value_of(*field, "code");
    const auto* const cause = std::find_if(
        kFailureCauses.begin(), kFailureCauses.end(),
        [&](const FailureCause& each) { return each.flag == *field || (code && each.code == *code); });
    if (cause != kFailureCauses.end()) {
      answer.kind = cause->kind;
      default_reason = cause->reason;
    }
    if (std::optional<std::string> user = value_of(*field, "user")) answer.username = std::move(*user);
    if (std::optional<std::string> reason = value_of(*field, "reason")) answer.text = std::move(*reason);
  }
  if (answer.text.empty()) answer.text = default_reason;
  return answer;
}

struct ReplyType {
  std::string_view command;
  SaslAnswer (*read)(std::optional<std::string_view>);
};
constexpr std::array<ReplyType, 3> kReplyTypes = {
    {{"CONT", read_challenge}, {"FAIL", read_failure}, {"OK", read_success}}};

Error protocol_error(std::string_view what) {
  return {.kind = ErrorKind::kTemporary, .message = concat("SASL: ", what)};
}

}  // namespace

bool allows(const SecurityOptions& options, const DovecotMechanism& mechanism) {
  return !mechanism.is_private && !(options.noplaintext && mechanism.is_plaintext) &&
         !(options.noactive && mechanism.is_active) && !(options.nodictionary && mechanism.is_dictionary) &&
         !(options.noanonymous && mechanism.is_anonymous) &&
         !(options.forward_secrecy && !mechanism.has_forward_secrecy) &&
         !(options.mutual_auth && !mechanism.has_mutual_auth);
}

Result<bool> DovecotHandshake::read(std::string_view line) {
  if (++lines_ > kDovecotHandshakeLimit) return protocol_error("Dovecot's handshake has no end");
  std::optional<std::string_view> rest = line;
  const std::string_view command = *next_field(rest);
  if (command == "VERSION") {
    const std::optional<std::string_view> version = next_field(rest);
    if (parse_number<int>(version) != kMajorVersion) {
      return protocol_error(concat("Protocol version mismatch (", libconf::printable(version.value_or("")),
                                   " vs. ", std::to_string(kMajorVersion), ")"));
    }
    has_version_ = true;
  } else if (command == "MECH") {
    const std::optional<std::string_view> name = next_field(rest);
    if (!name || name->empty()) return false;
    DovecotMechanism mechanism{.name = capitals(unescape(*name))};
    while (const std::optional<std::string_view> field = next_field(rest)) {
      for (const MechanismFlag& flag : kMechanismFlags)
        if (flag.name == *field) mechanism.*(flag.member) = true;
    }
    mechanisms_.push_back(std::move(mechanism));
  } else if (command == "DONE") {
    if (!has_version_) return protocol_error("Dovecot did not tell its protocol version");
    return true;
  }
  return false;
}

std::string dovecot_greeting(std::int64_t process_id) {
  return concat("VERSION\t", std::to_string(kMajorVersion), "\t1\nCPID\t", std::to_string(process_id), "\n");
}

std::string dovecot_auth_request(std::uint32_t id, std::string_view mechanism, std::string_view service,
                                 const SaslPeer& peer, const std::optional<std::string>& initial_response) {
  std::string line =
      concat("AUTH\t", std::to_string(id), "\t", mechanism, "\tservice=", escape(service), "\tnologin");
  const std::array<std::pair<std::string_view, const std::string*>, 4> places = {{
      {"\tlip=", &peer.local_address},
      {"\trip=", &peer.remote_address},
      {"\tlport=", &peer.local_port},
      {"\trport=", &peer.remote_port},
  }};
  for (const auto& [name, value] : places)
    if (!value->empty()) line += concat(name, escape(*value));
  if (peer.has_tls) line += "\tsecured";
  if (peer.has_trusted_certificate) line += "\tvalid-client-cert";
  // Whatever follows this would be taken for a part of it. An empty value stands for no response, and '=' for
  // an empty one, as in SMTP.
  if (initial_response)
    line += concat("\tresp=", initial_response->empty() ? "=" : libmaps::encode_base64(*initial_response));
  line += '\n';
  return line;
}

std::string dovecot_continue_request(std::uint32_t id, std::string_view response) {
  return concat("CONT\t", std::to_string(id), "\t", libmaps::encode_base64(response), "\n");
}

std::string dovecot_cancel_request(std::uint32_t id) { return concat("CANCEL\t", std::to_string(id), "\n"); }

std::optional<DovecotReply> parse_dovecot_reply(std::string_view line) {
  std::optional<std::string_view> rest = line;
  const std::string_view command = *next_field(rest);
  const auto* const type = std::find_if(kReplyTypes.begin(), kReplyTypes.end(),
                                        [&](const ReplyType& each) { return each.command == command; });
  if (type == kReplyTypes.end()) return std::nullopt;
  const std::optional<std::uint32_t> id = parse_number<std::uint32_t>(next_field(rest));
  if (!id) return std::nullopt;
  return DovecotReply{.id = *id, .answer = type->read(rest)};
}

}  // namespace mta
