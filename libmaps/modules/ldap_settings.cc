#include "libmaps/modules/ldap_settings.h"

#include <ldap.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "libconf/hex.h"
#include "libconf/service_root.h"
#include "libconf/text.h"
#include "libmaps/ldap_escape.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;
using libconf::Severity;

/// Reads settings, until one is wrong.
class Reader {
 public:
  explicit Reader(const TableConfig& config) : config_(config) {}

  std::string text(std::string_view setting, std::string_view fallback = "", SettingLimits limits = {}) {
    return take(config_.get_string(setting, fallback, limits));
  }
  int number(std::string_view setting, std::int64_t fallback, SettingLimits limits = {}) {
    return static_cast<int>(take(config_.get_int(setting, fallback, limits)));
  }
  bool flag(std::string_view setting, bool fallback) { return take(config_.get_bool(setting, fallback)); }

  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  T take(Result<T> value) {
    if (value) return std::move(*value);
    fail(std::move(value.error()));
    return {};
  }

  const TableConfig& config_;
  std::optional<Error> error_;
};

/// The value of a setting with few values.
template <class T>
struct Choice {
  std::string_view word;
  T value;
};

template <class T, std::size_t kSize>
const Choice<T>* find(const Choice<T> (&choices)[kSize], std::string_view word) {
  const auto* found = std::find_if(std::begin(choices), std::end(choices), [word](const Choice<T>& choice) {
    return equals_ignoring_case(choice.word, word);
  });
  return found == std::end(choices) ? nullptr : found;
}

constexpr Choice<int> kScopes[] = {
    {"one", LDAP_SCOPE_ONELEVEL}, {"base", LDAP_SCOPE_BASE}, {"sub", LDAP_SCOPE_SUBTREE}};
constexpr Choice<LdapBind> kBinds[] = {{"yes", LdapBind::kSimple},
                                       {"simple", LdapBind::kSimple},
                                       {"no", LdapBind::kNone},
                                       {"none", LdapBind::kNone},
                                       {"sasl", LdapBind::kSasl}};

struct FreeUrl {
  void operator()(LDAPURLDesc* url) const { ::ldap_free_urldesc(url); }
};

/// The URI of a socket, with a path that the service's root comes before.
std::string rooted_uri(std::string_view path, const std::string& root) {
  const std::string on_host = libconf::RootedPath{.path = std::string(path), .root = root}.on_host();
  std::string uri = "ldapi://";
  for (const char c : on_host) {
    if (libconf::is_name_char(c) || c == '.' || c == '-') {
      uri += c;
    } else {
      uri += '%';
      libconf::append_hex(uri, c);
    }
  }
  return uri;
}

/// Looks at a server's URI for what needs the third version of the protocol; the path of a socket becomes one
/// of the host. False: it is no URI.
bool take_uri(std::string& uri, const std::string& root, LdapServerSettings& server,
              libconf::DiagnosticSink& warnings) {
  LDAPURLDesc* parsed = nullptr;
  const int fault = ::ldap_url_parse(uri.c_str(), &parsed);
  const std::unique_ptr<LDAPURLDesc, FreeUrl> url(parsed);
  if (fault != LDAP_URL_SUCCESS) {
    warnings.report({.severity = Severity::kError,
                     .code = "ldap-url",
                     .message = concat("dict_ldap_open: error parsing URL ", uri, ": ", std::to_string(fault),
                                       ": ", ::ldap_err2string(fault), "; skipping")});
    return false;
  }
  const std::string_view scheme = url->lud_scheme;
  if (server.version < LDAP_VERSION3 && scheme != "ldap") {
    warnings.warn("ldap-version",
                  concat("dict_ldap_open: URL scheme ", scheme, " requires protocol version 3"));
    server.version = LDAP_VERSION3;
  }
  if (scheme == "ldaps") server.uses_tls = true;
  const std::string_view host = url->lud_host == nullptr ? "" : url->lud_host;
  if (scheme == "ldapi" && !host.empty() && !root.empty()) uri = rooted_uri(host, root);
  return true;
}

/// Reads server_host, server_port and version, which depend on one another.
void read_servers(Reader& reader, const std::string& root, LdapServerSettings& server,
                  libconf::DiagnosticSink& warnings) {
  const std::string hosts = reader.text("server_host", "localhost", {.min = 1});
  const std::string port = std::to_string(reader.number("server_port", LDAP_PORT));
  server.version = reader.number("version", LDAP_VERSION3, {.min = LDAP_VERSION2});
  if (reader.error()) return;
  if (server.version > LDAP_VERSION3) {
    warnings.warn("ldap-version", concat("dict_ldap_open: ", server.config, " Unknown version ",
                                         std::to_string(server.version), ", using 3."));
    server.version = LDAP_VERSION3;
  }
  for (LdapServerUri& entry : ldap_server_uris(hosts, port)) {
    if (entry.is_written && !take_uri(entry.uri, root, server, warnings)) continue;
    server.uris += concat(server.uris.empty() ? "" : " ", entry.uri);
  }
}

int read_scope(Reader& reader, const LdapServerSettings& server, libconf::DiagnosticSink& warnings) {
  const std::string word = reader.text("scope", "sub", {.min = 1});
  const Choice<int>* const choice = find(kScopes, word);
  if (choice != nullptr) return choice->value;
  if (!reader.error())
    warnings.warn("ldap-scope", concat("dict_ldap_open: ", server.config, ": Unrecognized value ", word,
                                       " specified for scope; using sub"));
  return LDAP_SCOPE_SUBTREE;
}

void read_bind(Reader& reader, LdapServerSettings& server) {
  const std::string bind = reader.text("bind", "yes", {.min = 1});
  const Choice<LdapBind>* const choice = find(kBinds, bind);
  if (choice == nullptr)
    return reader.fail({.kind = ErrorKind::kConfiguration,
                        .message = concat(server.config, ": unsupported parameter value: bind = ", bind),
                        .file = server.config});
  server.bind = choice->value;
  server.bind_dn = reader.text("bind_dn");
  server.bind_password = reader.text("bind_pw");
  server.sasl_mechanisms = reader.text("sasl_mechs");
  server.sasl_realm = reader.text("sasl_realm");
  server.sasl_authorization = reader.text("sasl_authz_id");
  server.sasl_min_ssf = reader.number("sasl_minssf", 0);
}

void read_tls(Reader& reader, LdapServerSettings& server, libconf::DiagnosticSink& warnings) {
  server.starts_tls = reader.flag("start_tls", false);
  if (server.starts_tls && server.version < LDAP_VERSION3) {
    warnings.warn("ldap-version",
                  concat("dict_ldap_open: ", server.config, " start_tls requires protocol version 3"));
    server.version = LDAP_VERSION3;
  }
  server.uses_tls = server.uses_tls || server.starts_tls;
  server.requires_certificate = reader.flag("tls_require_cert", false);
  server.tls_ca_file = reader.text("tls_ca_cert_file");
  server.tls_ca_directory = reader.text("tls_ca_cert_dir");
  server.tls_certificate = reader.text("tls_cert");
  server.tls_key = reader.text("tls_key");
  server.tls_random_file = reader.text("tls_random_file");
  server.tls_ciphers = reader.text("tls_cipher_suite");
}

int read_dereference(Reader& reader, const LdapServerSettings& server, libconf::DiagnosticSink& warnings) {
  const int value = reader.number("dereference", LDAP_DEREF_NEVER);
  if (value >= LDAP_DEREF_NEVER && value <= LDAP_DEREF_ALWAYS) return value;
  warnings.warn("ldap-dereference", concat("dict_ldap_open: ", server.config, " Unrecognized value ",
                                           std::to_string(value), " specified for dereference; using 0"));
  return LDAP_DEREF_NEVER;
}

/// Settings of long ago. The cache that all tables with a server can have is asked for by cache_ttl.
void warn_of_old_cache(Reader& reader, const LdapServerSettings& server, libconf::DiagnosticSink& warnings) {
  const bool has_ttl = reader.number("cache_ttl", 0) > 0;
  const struct {
    std::string_view setting;
    bool is_ignored;
  } settings[] = {{"cache", reader.flag("cache", false)},
                  {"cache_expiry", reader.number("cache_expiry", -1) >= 0},
                  {"cache_size", reader.number("cache_size", -1) >= 0 && !has_ttl}};
  for (const auto& [setting, is_ignored] : settings)
    if (is_ignored && !reader.error())
      warnings.warn("ldap-cache", concat("dict_ldap_open: ", server.config, " ignoring ", setting));
}

/// The bytes of messages are left out where a password would be among them.
int read_debug_level(Reader& reader, const LdapServerSettings& server) {
  constexpr int kPackets = 0x2;
  constexpr int kBer = 0x10;
  const int level = reader.number("debuglevel", 0);
  return server.bind_password.empty() ? level : level & ~(kPackets | kBer);
}

}  // namespace

// The order is Postfix's: a file with several faults gets the same complaint from both.
Result<LdapSettings> read_ldap_settings(const TableConfig& config, const TableContext& context) {
  Reader reader(config);
  libconf::DiagnosticSink& warnings = context.warnings;
  LdapServerSettings server;
  server.config = config.name();
  server.table = concat("ldap:", config.name());
  const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(context.settings);
  if (!root) return root.error();
  read_servers(reader, root->directory(), server, warnings);
  const int scope = read_scope(reader, server, warnings);
  const std::string base = reader.text("search_base");
  server.timeout = reader.number("timeout", 10);
  const std::string filter = reader.text("query_filter", "(mailacceptinggeneralid=%s)");
  std::string format = reader.text("result_format");
  if (format.empty()) format = reader.text("result_filter", "%s", {.min = 1});
  if (reader.error()) return *reader.error();

  const std::string_view queries[] = {base, filter};
  Result<QueryRules> rules = QueryRules::make(config, "ldap", queries, format, server.table, context);
  if (!rules) return rules.error();
  if (rules->is_constant(LdapSettings::kFilter))
    warnings.warn("ldap-filter", concat("dict_ldap_open: ", server.config, ": Fixed query_filter ", filter,
                                        " is probably useless"));

  LdapSettings settings{.server = std::move(server), .rules = std::move(*rules), .scope = scope};
  using Role = LdapAttributes::Role;
  settings.attributes.add(reader.text("terminal_result_attribute"), Role::kTerminal);
  settings.attributes.add(reader.text("leaf_result_attribute"), Role::kLeaf);
  settings.attributes.add(reader.text("result_attribute", "maildrop"), Role::kResult);
  settings.attributes.add(reader.text("special_result_attribute"), Role::kSpecial);
  read_bind(reader, settings.server);
  if (reader.error()) return *reader.error();
  warn_of_old_cache(reader, settings.server, warnings);
  settings.recursion_limit = reader.number("recursion_limit", 1000, {.min = 1});
  const int expansion_limit = reader.number("expansion_limit", 0);
  settings.rules.set_expansion_limit(expansion_limit);
  settings.server.size_limit = reader.number("size_limit", expansion_limit);
  settings.server.dereference = read_dereference(reader, settings.server, warnings);
  settings.server.chases_referrals = reader.flag("chase_referrals", false);
  read_tls(reader, settings.server, warnings);
  settings.server.debug_level = read_debug_level(reader, settings.server);
  if (reader.error()) return *reader.error();
  return settings;
}

}  // namespace libmaps
