#include "tools/mta/tls/tls_policy.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Settings;

/// Lists of protocols and ciphers may have colons, too, as OpenSSL's have.
constexpr std::string_view kColonListSeparators = ", \t\r\n:";

constexpr std::chrono::seconds kMinimumSessionLifetime = std::chrono::minutes(2);
constexpr std::chrono::seconds kMaximumSessionLifetime = std::chrono::hours(24 * 100);

constexpr int kHighestLogLevel = 4;

/// The entry of a table that has the name, in any case; or null.
template <class Table>
const typename Table::value_type* find_by_name(const Table& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& entry) { return equals_ignoring_case(entry.name, name); });
  return found == table.end() ? nullptr : &*found;
}

struct LevelName {
  std::string_view name;
  TlsLevel level;
  bool is_clients = false;  ///< Only the SMTP client has it.
};

constexpr std::array kLevels = {
    LevelName{"none", TlsLevel::kNone},
    LevelName{"may", TlsLevel::kMay},
    LevelName{"encrypt", TlsLevel::kEncrypt},
    LevelName{"fingerprint", TlsLevel::kEncrypt, true},
    LevelName{"verify", TlsLevel::kEncrypt, true},
    LevelName{"secure", TlsLevel::kEncrypt, true},
};

struct ProtocolName {
  std::string_view name;
  int version;            ///< 0: OpenSSL has long forgotten it, so that it cannot be a bound.
  std::uint64_t without;  ///< The option that excludes it.
};

constexpr std::array kProtocols = {
    ProtocolName{"SSLv2", 0, 0},
    ProtocolName{"SSLv3", SSL3_VERSION, SSL_OP_NO_SSLv3},
    ProtocolName{"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
    ProtocolName{"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    ProtocolName{"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    ProtocolName{"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};

constexpr std::uint64_t kAllProtocols =
    SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;

struct GradeName {
  std::string_view name;
  std::string_view parameter;
  bool is_obsolete = false;  ///< Its list may be empty.
};

constexpr std::array kGrades = {
    GradeName{"export", "tls_export_cipherlist", true}, GradeName{"low", "tls_low_cipherlist", true},
    GradeName{"medium", "tls_medium_cipherlist"},       GradeName{"high", "tls_high_cipherlist"},
    GradeName{"null", "tls_null_cipherlist"},
};

struct OptionName {
  std::string_view name;
  std::uint64_t bits;
};

constexpr std::array kSslOptions = {
    OptionName{"ENABLE_MIDDLEBOX_COMPAT", SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    OptionName{"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    OptionName{"NO_TICKET", SSL_OP_NO_TICKET},
    OptionName{"NO_COMPRESSION", SSL_OP_NO_COMPRESSION},
    OptionName{"NO_RENEGOTIATION", SSL_OP_NO_RENEGOTIATION},
    OptionName{"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    OptionName{"PRIORITIZE_CHACHA", SSL_OP_PRIORITIZE_CHACHA},
};

/// Those with 0 are gone from OpenSSL, and remain as names.
constexpr std::array kWorkarounds = {
    OptionName{"CRYPTOPRO_TLSEXT_BUG", SSL_OP_CRYPTOPRO_TLSEXT_BUG},
    OptionName{"DONT_INSERT_EMPTY_FRAGMENTS", SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
    OptionName{"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    OptionName{"MICROSOFT_BIG_SSLV3_BUFFER", 0},
    OptionName{"MICROSOFT_SESS_ID_BUG", 0},
    OptionName{"MSIE_SSLV2_RSA_PADDING", 0},
    OptionName{"CVE-2005-2969", 0},
    OptionName{"NETSCAPE_CHALLENGE_BUG", 0},
    OptionName{"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0},
    OptionName{"CVE-2010-4180", 0},
    OptionName{"SSLEAY_080_CLIENT_DH_BUG", 0},
    OptionName{"SSLREF2_REUSE_CERT_TYPE_BUG", 0},
    OptionName{"TLS_BLOCK_PADDING_BUG", 0},
    OptionName{"TLS_D5_BUG", 0},
    OptionName{"TLS_ROLLBACK_BUG", SSL_OP_TLS_ROLLBACK_BUG},
    OptionName{"TLSEXT_PADDING", SSL_OP_TLSEXT_PADDING},
};

/// A hexadecimal number with or without "0x", all of `text`.
std::optional<std::uint64_t> parse_hexadecimal(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The version that a bound names.
std::optional<int> parse_bound(std::string_view text) {
  if (text.empty()) return 0;
  if (const ProtocolName* known = find_by_name(kProtocols, text); known != nullptr) {
    if (known->version == 0) return std::nullopt;
    return known->version;
  }
  const std::optional<std::uint64_t> number = parse_hexadecimal(text);
  if (!number || *number > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(*number);
}

template <class Options>
std::uint64_t parse_options(const Options& names, std::string_view parameter, std::string_view list,
                            DiagnosticSink& sink) {
  if (list.starts_with("0x") || list.starts_with("0X")) {
    if (const std::optional<std::uint64_t> mask = parse_hexadecimal(list)) return *mask;
  }
  std::uint64_t bits = 0;
  std::string_view rest = list;
  while (const std::optional<std::string_view> word = libconf::next_word(rest, libconf::kListSeparators)) {
    if (const OptionName* option = find_by_name(names, *word)) {
      bits |= option->bits;
    } else {
      sink.warn("unknown-tls-option",
                concat("unknown ", parameter, " value \"", *word, "\" in \"", list, "\""));
    }
  }
  return bits;
}

/// Whether OpenSSL has a use for the name, be it none in TLS.
bool is_known_object(const std::string& name) {
  return EC_curve_nist2nid(name.c_str()) != NID_undef || OBJ_sn2nid(name.c_str()) != NID_undef ||
         OBJ_ln2nid(name.c_str()) != NID_undef;
}

/// What the two parameters call their elements.
struct GroupKind {
  std::string_view one;
  std::string_view all;
};

constexpr GroupKind kCurves = {"ECDHE curve", "ECDHE curves"};
constexpr GroupKind kFfdheGroups = {"FFDHE group", "FFDHE groups"};

void add_usable_groups(const GroupKind& kind, std::string_view list, SSL_CTX* probe, std::string& groups,
                       DiagnosticSink& sink) {
  bool is_any_known = false;
  bool is_any_usable = false;
  while (const std::optional<std::string_view> word = libconf::next_word(list, libconf::kListSeparators)) {
    const std::string name(*word);
    if (!is_known_object(name)) {
      sink.warn("unknown-tls-group", concat("ignoring unknown ", kind.one, " \"", name, "\""));
      continue;
    }
    is_any_known = true;
    if (SSL_CTX_set1_groups_list(probe, name.c_str()) != 1) continue;
    is_any_usable = true;
    groups += concat(groups.empty() ? "" : ":", name);
  }
  take_library_problems();
  if (is_any_known && !is_any_usable)
    sink.warn("no-tls-group", concat("none of the configured ", kind.all, " are supported"));
}

/// CBC mode, 128-bit blocks, a key of 128 to 256 bits.
bool is_ticket_cipher(const EVP_CIPHER* cipher) {
  return cipher != nullptr && EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CBC_MODE &&
         EVP_CIPHER_get_block_size(cipher) == 16 && EVP_CIPHER_get_key_length(cipher) >= 16 &&
         EVP_CIPHER_get_key_length(cipher) <= 32;
}

/// Reads settings, and keeps the first error, so that a row of them reads as a table.
class SettingReader {
 public:
  explicit SettingReader(const Settings& settings) : settings_(settings) {}

  std::string text(std::string_view name) { return keep(settings_.get(name)); }
  bool flag(std::string_view name) { return keep(settings_.get_bool(name)); }
  int number(std::string_view name) { return static_cast<int>(keep(settings_.get_int(name))); }
  std::chrono::seconds duration(std::string_view name) { return keep(settings_.get_duration(name)); }

  template <class T>
  T keep(Result<T> value) {
    if (value) return std::move(*value);
    if (!error_) error_ = std::move(value.error());
    return T{};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const Settings& settings_;
  std::optional<Error> error_;
};

/// What the level decides: which of the two sets of parameters counts.
struct LevelParameters {
  std::string_view protocols;
  std::string_view ciphers;
};

constexpr LevelParameters kOpportunistic = {"smtpd_tls_protocols", "smtpd_tls_ciphers"};
constexpr LevelParameters kMandatory = {"smtpd_tls_mandatory_protocols", "smtpd_tls_mandatory_ciphers"};

std::string read_cipher_list(const TlsPolicy& policy, SettingReader& reader, const Settings& settings) {
  std::string list = reader.keep(cipher_list_of_grade(policy.cipher_grade, settings));
  list += reader.keep(parse_cipher_exclusions(reader.text("smtpd_tls_exclude_ciphers")));
  if (policy.level == TlsLevel::kEncrypt)
    list += reader.keep(parse_cipher_exclusions(reader.text("smtpd_tls_mandatory_exclude_ciphers")));
  // Who has no certificate cannot ask for one.
  if (policy.asks_certificate) list += ":!aNULL";
  return list;
}

void read_sessions(TlsPolicy& policy, SettingReader& reader, DiagnosticSink& sink) {
  policy.issues_session_ids = reader.flag("smtpd_tls_always_issue_session_ids");
  const std::chrono::seconds lifetime = reader.duration("smtpd_tls_session_cache_timeout");
  if (lifetime.count() <= 0) return;
  policy.session_lifetime = std::clamp(lifetime, kMinimumSessionLifetime, kMaximumSessionLifetime);
  const std::string name = reader.text("tls_session_ticket_cipher");
  if (name.empty() || (policy.options & SSL_OP_NO_TICKET) != 0) return;
  const EVP_CIPHER* cipher = EVP_get_cipherbyname(name.c_str());
  if (is_ticket_cipher(cipher)) {
    policy.ticket_cipher = cipher;
  } else {
    sink.warn("tls-ticket-cipher",
              concat("tls_session_ticket_cipher: invalid value: ", name, "; session tickets disabled"));
  }
}

void read_certificate_wishes(TlsPolicy& policy, SettingReader& reader, DiagnosticSink& sink) {
  policy.asks_certificate = reader.flag("smtpd_tls_ask_ccert");
  policy.verify_depth = reader.number("smtpd_tls_ccert_verifydepth");
  if (!reader.flag("smtpd_tls_req_ccert")) return;
  if (policy.level == TlsLevel::kEncrypt) {
    policy.asks_certificate = policy.requires_certificate = true;
  } else {
    sink.warn("tls-client-certificate", "Can't require client certs unless TLS is required");
  }
}

}  // namespace

Result<TlsLevel> tls_level(const Settings& settings, DiagnosticSink& sink) {
  SettingReader reader(settings);
  const std::string name = reader.text("smtpd_tls_security_level");
  const bool is_wrapper = reader.flag("smtpd_tls_wrappermode");
  const bool is_enforced = reader.flag("smtpd_enforce_tls");
  const bool is_used = reader.flag("smtpd_use_tls");
  if (reader.error()) return *reader.error();
  if (is_wrapper) return TlsLevel::kEncrypt;
  if (name.empty()) return is_enforced ? TlsLevel::kEncrypt : is_used ? TlsLevel::kMay : TlsLevel::kNone;
  const LevelName* known = find_by_name(kLevels, name);
  if (known == nullptr) return libconf::configuration_error(concat("Invalid TLS level \"", name, "\""));
  if (known->is_clients)
    sink.warn("tls-level",
              concat("smtpd_tls_security_level: unsupported TLS level \"", name, "\", using \"encrypt\""));
  return known->level;
}

Result<TlsProtocols> parse_tls_protocols(std::string_view list) {
  const Error invalid =
      libconf::configuration_error(concat("Invalid TLS protocol list \"", list, "\": disabling TLS support"));
  TlsProtocols protocols;
  std::uint64_t included = 0;
  std::string_view rest = list;
  while (const std::optional<std::string_view> word = libconf::next_word(rest, kColonListSeparators)) {
    if (word->starts_with(">=") || word->starts_with("<=")) {
      const std::optional<int> version = parse_bound(word->substr(2));
      if (!version) return invalid;
      (word->front() == '>' ? protocols.minimum : protocols.maximum) = *version;
      continue;
    }
    const bool is_exclusion = word->front() == '!';
    const ProtocolName* known = find_by_name(kProtocols, word->substr(is_exclusion ? 1 : 0));
    if (known == nullptr) return invalid;
    (is_exclusion ? protocols.without : included) |= known->without;
  }
  if (included != 0) protocols.without |= kAllProtocols & ~included;
  return protocols;
}

Result<std::string> parse_cipher_exclusions(std::string_view list) {
  std::string exclusions;
  while (const std::optional<std::string_view> word = libconf::next_word(list, kColonListSeparators)) {
    if (std::string_view("!+-@").find(word->front()) != std::string_view::npos)
      return libconf::configuration_error(concat("invalid unary '!+-@' in cipher exclusion: ", *word));
    exclusions += concat(":!", *word);
  }
  return exclusions;
}

Result<std::string> cipher_list_of_grade(std::string_view grade, const Settings& settings) {
  const GradeName* known = find_by_name(kGrades, grade);
  if (known == nullptr) return libconf::configuration_error(concat("invalid cipher grade: \"", grade, "\""));
  Result<std::string> list = settings.get(known->parameter);
  if (list && list->empty() && known->is_obsolete) return settings.get("tls_medium_cipherlist");
  return list;
}

std::uint64_t parse_ssl_options(std::string_view list, DiagnosticSink& sink) {
  return parse_options(kSslOptions, "tls_ssl_options", list, sink) &
         ~(kAllProtocols | SSL_OP_CIPHER_SERVER_PREFERENCE);
}

std::uint64_t parse_disabled_workarounds(std::string_view list, DiagnosticSink& sink) {
  return parse_options(kWorkarounds, "tls_disable_workarounds", list, sink);
}

int parse_tls_log_level(std::string_view text, DiagnosticSink& sink) {
  int level = 0;
  std::string_view rest = text;
  while (const std::optional<std::string_view> word = libconf::next_word(rest, libconf::kListSeparators)) {
    if (word->size() == 1 && libconf::is_all_digits(*word)) {
      level = std::max(level, std::min(word->front() - '0', kHighestLogLevel));
    } else {
      sink.warn("tls-log-level",
                concat("unknown smtpd_tls_loglevel value \"", *word, "\" in \"", text, "\""));
    }
  }
  return level;
}

std::string usable_groups(std::string_view curves, std::string_view ffdhe_groups, DiagnosticSink& sink) {
  const SslContextHandle probe(SSL_CTX_new(TLS_server_method()));
  std::string groups;
  if (probe == nullptr) return groups;
  add_usable_groups(kCurves, curves, probe.get(), groups, sink);
  add_usable_groups(kFfdheGroups, ffdhe_groups, probe.get(), groups, sink);
  return groups;
}

Result<TlsPolicy> TlsPolicy::read(const Settings& settings, DiagnosticSink& sink) {
  TlsPolicy policy;
  Result<TlsLevel> level = tls_level(settings, sink);
  if (!level) return level.error();
  policy.level = *level;
  if (policy.level == TlsLevel::kNone) return policy;

  SettingReader reader(settings);
  const bool is_mandatory = policy.level == TlsLevel::kEncrypt;
  const LevelParameters& parameters = is_mandatory ? kMandatory : kOpportunistic;
  policy.is_wrapper = reader.flag("smtpd_tls_wrappermode");
  policy.log_level = parse_tls_log_level(reader.text("smtpd_tls_loglevel"), sink);
  policy.adds_received_header = reader.flag("smtpd_tls_received_header");
  read_certificate_wishes(policy, reader, sink);
  policy.protocols = reader.keep(parse_tls_protocols(reader.text(parameters.protocols)));
  policy.cipher_grade = reader.text(parameters.ciphers);
  policy.cipher_list = read_cipher_list(policy, reader, settings);
  policy.options = (SSL_OP_ALL & ~parse_disabled_workarounds(reader.text("tls_disable_workarounds"), sink)) |
                   parse_ssl_options(reader.text("tls_ssl_options"), sink);
  if (reader.flag("tls_preempt_cipherlist")) policy.options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
  policy.groups =
      usable_groups(reader.text("tls_eecdh_auto_curves"), reader.text("tls_ffdhe_auto_groups"), sink);
  policy.dh_parameter_file = reader.text("smtpd_tls_dh1024_param_file");
  if (policy.dh_parameter_file == "auto") policy.dh_parameter_file.clear();
  read_sessions(policy, reader, sink);
  const std::string digest = reader.text("smtpd_tls_fingerprint_digest");
  if (reader.error()) return *reader.error();
  policy.fingerprint_digest = EVP_get_digestbyname(digest.c_str());
  if (policy.fingerprint_digest == nullptr) {
    sink.warn("tls-digest", concat("Digest algorithm \"", digest, "\" not found"));
    return libconf::configuration_error("disabling TLS support");
  }
  return policy;
}

}  // namespace mta
