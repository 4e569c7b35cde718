#include "libmaps/modules/ldap_connection.h"

#include <sasl/sasl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/ldap_debug.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::DiagnosticSink;
using libconf::Result;
using libconf::Severity;

/// The attributes of a search, as the library takes them.
std::vector<char*> pointers(const std::vector<std::string>& names) {
  std::vector<char*> result;
  result.reserve(names.size() + 1);
  for (const std::string& name : names) result.push_back(const_cast<char*>(name.c_str()));
  if (result.empty()) result.push_back(const_cast<char*>(LDAP_NO_ATTRS));
  result.push_back(nullptr);
  return result;
}

timeval limit_of(std::chrono::seconds limit) { return {.tv_sec = limit.count(), .tv_usec = 0}; }

/// Answers what a SASL mechanism asks for.
int answer_sasl(LDAP*, unsigned, void* defaults, void* questions) {
  const auto& settings = *static_cast<const LdapServerSettings*>(defaults);
  for (auto* question = static_cast<sasl_interact_t*>(questions); question->id != SASL_CB_LIST_END;
       ++question) {
    const std::string* answer = nullptr;
    switch (question->id) {
      case SASL_CB_GETREALM:
        answer = &settings.sasl_realm;
        break;
      case SASL_CB_AUTHNAME:
        answer = &settings.bind_dn;
        break;
      case SASL_CB_PASS:
        answer = &settings.bind_password;
        break;
      case SASL_CB_USER:
        answer = &settings.sasl_authorization;
        break;
      default:
        break;
    }
    const bool has_answer = answer != nullptr && !answer->empty();
    question->result = has_answer ? answer->c_str() : "";
    question->len = has_answer ? static_cast<unsigned>(answer->size()) : 0;
  }
  return LDAP_SUCCESS;
}

}  // namespace

bool is_connection_lost(int code) {
  return code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR || code == LDAP_TIMEOUT ||
         code == LDAP_UNAVAILABLE;
}

Result<std::unique_ptr<LdapConnection>> LdapConnection::connect(const LdapServerSettings& settings,
                                                                DiagnosticSink& warnings) {
  std::unique_ptr<LdapConnection> connection(new LdapConnection(settings, warnings));
  if (const Result<void> opened = connection->open(); !opened) return opened.error();
  return connection;
}

LdapConnection::~LdapConnection() {
  const LdapDebugScope scope(settings_.debug_level, warnings_);
  if (handle_ != nullptr) ::ldap_unbind_ext_s(handle_, nullptr, nullptr);
}

Result<void> LdapConnection::open() {
  if (const int code = ::ldap_initialize(&handle_, settings_.uris.c_str()); code != LDAP_SUCCESS) {
    warnings_.warn("ldap-server", concat("dict_ldap_connect: Unable to init LDAP server ", settings_.uris));
    return lookup_error(0);
  }
  stream_.attach(handle_);
  const timeval limit = limit_of(settings_.patience());
  ::ldap_set_option(handle_, LDAP_OPT_NETWORK_TIMEOUT, &limit);
  // For what waits inside of the library: STARTTLS, SASL.
  ::ldap_set_option(handle_, LDAP_OPT_TIMEOUT, &limit);
  ::ldap_set_option(handle_, LDAP_OPT_PROTOCOL_VERSION, &settings_.version);
  ::ldap_set_option(handle_, LDAP_OPT_DEREF, &settings_.dereference);
  ::ldap_set_option(handle_, LDAP_OPT_REFERRALS, settings_.chases_referrals ? LDAP_OPT_ON : LDAP_OPT_OFF);
  ::ldap_set_option(handle_, LDAP_OPT_SIZELIMIT, &settings_.size_limit);
  ::ldap_set_option(handle_, LDAP_OPT_RESTART, LDAP_OPT_ON);  // A signal is no reason to fail.
  if (settings_.uses_tls)
    if (const Result<void> done = set_tls_options(); !done) return done;
  if (settings_.starts_tls)
    if (const Result<void> done = start_tls(); !done) return done;
  return settings_.bind == LdapBind::kNone ? Result<void>() : bind();
}

Result<void> LdapConnection::set_tls_options() {
  const int require = settings_.requires_certificate ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
  ::ldap_set_option(handle_, LDAP_OPT_X_TLS_REQUIRE_CERT, &require);
  // The file takes precedence (ldap_table(5)).
  const std::string ca_directory = settings_.tls_ca_file.empty() ? settings_.tls_ca_directory : "";
  const struct {
    int option;
    std::string_view setting;
    const std::string& value;
  } options[] = {{LDAP_OPT_X_TLS_CACERTFILE, "tls_ca_cert_file", settings_.tls_ca_file},
                 {LDAP_OPT_X_TLS_CACERTDIR, "tls_ca_cert_dir", ca_directory},
                 {LDAP_OPT_X_TLS_CERTFILE, "tls_cert", settings_.tls_certificate},
                 {LDAP_OPT_X_TLS_KEYFILE, "tls_key", settings_.tls_key},
                 {LDAP_OPT_X_TLS_RANDOM_FILE, "tls_random_file", settings_.tls_random_file},
                 {LDAP_OPT_X_TLS_CIPHER_SUITE, "tls_cipher_suite", settings_.tls_ciphers}};
  for (const auto& [option, setting, value] : options) {
    if (value.empty()) continue;
    const int code = ::ldap_set_option(handle_, option, value.c_str());
    if (code == LDAP_OPT_SUCCESS) continue;
    warnings_.warn("ldap-tls", concat("dict_ldap_set_tls_options: Unable to set ", setting, " to ", value,
                                      ": ", std::to_string(code), ": ", ::ldap_err2string(code)));
    return lookup_error(0);
  }
  constexpr int kIsClient = 0;
  errno = 0;
  const int code = ::ldap_set_option(handle_, LDAP_OPT_X_TLS_NEWCTX, &kIsClient);
  if (code == LDAP_OPT_SUCCESS) return {};
  const int reason = errno;
  warnings_.warn("ldap-tls", concat("dict_ldap_set_tls_options: Unable to allocate new TLS context ",
                                    std::to_string(code), ": ", ::ldap_err2string(code)));
  warnings_.warn(
      "ldap-tls",
      concat(settings_.table, ": a file or the tls_cipher_suite of the TLS settings is missing or wrong"));
  return lookup_error(reason);
}

Result<void> LdapConnection::start_tls() {
  errno = 0;
  const int code = ::ldap_start_tls_s(handle_, nullptr, nullptr);
  if (code == LDAP_SUCCESS) return {};
  const LdapAnswer answer = failed(code);
  warnings_.report({.severity = Severity::kError,
                    .code = "ldap-tls",
                    .message = concat("dict_ldap_connect: Unable to set STARTTLS: ",
                                      std::to_string(answer.code), ": ", ::ldap_err2string(answer.code))});
  explain(answer);
  return lookup_error(answer.error_number);
}

Result<void> LdapConnection::bind() {
  errno = 0;
  const LdapAnswer answer = settings_.bind == LdapBind::kSasl ? bind_by_sasl() : bind_simply();
  if (answer.code == LDAP_SUCCESS) return {};
  const std::string name = settings_.bind_dn.empty() ? "empty or implicit" : settings_.bind_dn;
  warnings_.warn("ldap-bind",
                 concat("dict_ldap_connect: Unable to bind to server ", settings_.uris, " with dn ", name,
                        ": ", std::to_string(answer.code), " (", ::ldap_err2string(answer.code), ")"));
  explain(answer);
  return lookup_error(answer.error_number);
}

LdapAnswer LdapConnection::bind_simply() {
  berval password = {.bv_len = settings_.bind_password.size(),
                     .bv_val = const_cast<char*>(settings_.bind_password.c_str())};
  int id = 0;
  const int code = ::ldap_sasl_bind(handle_, settings_.bind_dn.c_str(), LDAP_SASL_SIMPLE, &password, nullptr,
                                    nullptr, &id);
  return code == LDAP_SUCCESS ? receive(id) : failed(code);
}

LdapAnswer LdapConnection::bind_by_sasl() {
  const auto min_ssf = static_cast<ber_len_t>(std::max(settings_.sasl_min_ssf, 0));
  ::ldap_set_option(handle_, LDAP_OPT_X_SASL_SSF_MIN, &min_ssf);
  const char* const mechanisms =
      settings_.sasl_mechanisms.empty() ? nullptr : settings_.sasl_mechanisms.c_str();
  // answer_sasl() changes nothing in them.
  void* const defaults = const_cast<LdapServerSettings*>(&settings_);
  const int code = ::ldap_sasl_interactive_bind_s(handle_, nullptr, mechanisms, nullptr, nullptr,
                                                  LDAP_SASL_QUIET, answer_sasl, defaults);
  return code == LDAP_SUCCESS ? LdapAnswer() : failed(code);
}

LdapAnswer LdapConnection::send(const LdapSearch& search, int& id) {
  std::vector<char*> attributes = pointers(search.attributes);
  timeval limit = limit_of(std::chrono::seconds(settings_.timeout));
  errno = 0;
  constexpr int kLimitOfHandle = -1;
  const int code = ::ldap_search_ext(handle_, search.base.c_str(), search.scope, search.filter.c_str(),
                                     attributes.data(), 0, nullptr, nullptr, &limit, kLimitOfHandle, &id);
  return code == LDAP_SUCCESS ? LdapAnswer() : failed(code);
}

LdapAnswer LdapConnection::receive(int id) {
  timeval limit = limit_of(settings_.patience());
  errno = 0;
  stream_.start_waiting();
  if (!stream_.flush()) return failed(LDAP_SERVER_DOWN);
  LDAPMessage* messages = nullptr;
  const int type = ::ldap_result(handle_, id, LDAP_MSG_ALL, &limit, &messages);
  LdapAnswer answer;
  answer.messages.reset(messages);
  if (type == 0) return failed(LDAP_TIMEOUT);
  if (type < 0) {
    int code = LDAP_OTHER;
    ::ldap_get_option(handle_, LDAP_OPT_RESULT_CODE, &code);
    return failed(code);
  }
  char* details = nullptr;
  const int parsed =
      ::ldap_parse_result(handle_, messages, &answer.code, nullptr, &details, nullptr, nullptr, 0);
  if (parsed != LDAP_SUCCESS) answer.code = parsed;
  if (details != nullptr) answer.details = details;
  ::ldap_memfree(details);
  return answer;
}

void LdapConnection::abandon(int id) { ::ldap_abandon_ext(handle_, id, nullptr, nullptr); }

LdapAnswer LdapConnection::search(const LdapSearch& search) {
  int id = 0;
  LdapAnswer sent = send(search, id);
  return sent.code == LDAP_SUCCESS ? receive(id) : std::move(sent);
}

LdapAnswer LdapConnection::failed(int code) const {
  LdapAnswer answer;
  answer.code = stream_.is_timed_out() ? LDAP_TIMEOUT : code;
  if (answer.code == LDAP_TIMEOUT)
    answer.error_number = ETIMEDOUT;
  else if (answer.code < 0)
    answer.error_number = errno;
  char* details = nullptr;
  ::ldap_get_option(handle_, LDAP_OPT_DIAGNOSTIC_MESSAGE, &details);
  if (details != nullptr) answer.details = details;
  ::ldap_memfree(details);
  return answer;
}

void LdapConnection::explain(const LdapAnswer& answer, std::string_view request) const {
  std::string text = concat(settings_.table, ": server ", settings_.uris, ": ");
  if (!request.empty()) text += concat(request, ": ");
  if (answer.code == LDAP_TIMEOUT)
    text += concat("no answer within ", std::to_string(settings_.patience().count()), " s");
  else
    text += ::ldap_err2string(answer.code);
  // So libldap with GnuTLS calls what it does not like in a certificate.
  constexpr std::string_view kUnknown = "(unknown error code)";
  if (answer.details == kUnknown && settings_.requires_certificate)
    text += ": the server's certificate is not trusted (tls_ca_cert_file), or is for another host name";
  else if (!answer.details.empty())
    text += concat(": ", answer.details);
  warnings_.warn("ldap-details", std::move(text));
}

}  // namespace libmaps
