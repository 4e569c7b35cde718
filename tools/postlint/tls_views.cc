#include "tools/postlint/tls_views.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libconf/text.h"

namespace postlint {
namespace {

using libconf::Settings;
using mta::ClientTlsLevel;

constexpr std::array<std::pair<std::string_view, ClientTlsLevel>, 8> kClientLevels{{
    {"none", ClientTlsLevel::kNone},
    {"may", ClientTlsLevel::kMay},
    {"encrypt", ClientTlsLevel::kEncrypt},
    {"fingerprint", ClientTlsLevel::kFingerprint},
    {"verify", ClientTlsLevel::kVerify},
    {"secure", ClientTlsLevel::kSecure},
    {"dane", ClientTlsLevel::kMay},
    {"dane-only", ClientTlsLevel::kEncrypt},
}};

SmtpClient client_of(const Settings& settings) {
  SmtpClient client{.settings = settings, .level_parameter = "smtp_tls_security_level"};
  client.level_name = value_of(settings, client.level_parameter);
  if (client.level_name.empty() && is_yes(settings, "smtp_enforce_tls")) {
    client.level_parameter = "smtp_enforce_tls";
    client.level_name = is_yes(settings, "smtp_tls_enforce_peername") ? "verify" : "encrypt";
  } else if (client.level_name.empty() && is_yes(settings, "smtp_use_tls")) {
    client.level_parameter = "smtp_use_tls";
    client.level_name = "may";
  }
  if (client.level_name.empty()) client.level_name = "none";
  client.level = find_client_level(client.level_name);
  client.is_dane = libconf::equals_ignoring_case(client.level_name, "dane") ||
                   libconf::equals_ignoring_case(client.level_name, "dane-only");
  return client;
}

}  // namespace

std::optional<ClientTlsLevel> find_client_level(std::string_view name) {
  for (const auto& [known, level] : kClientLevels)
    if (libconf::equals_ignoring_case(known, name)) return level;
  return std::nullopt;
}

std::vector<SmtpClient> smtp_clients(const SiteModel& site) {
  std::vector<SmtpClient> clients;
  if (site.master_cf() == nullptr) clients.push_back(client_of(site.settings()));
  for (const Service& service : site.services())
    // A service that is called lmtp speaks LMTP, and has parameters of its own (smtp(8)).
    if (!service.is_replaced && service.program() == "smtp") clients.push_back(client_of(service.settings));
  return clients;
}

std::optional<mta::TlsLevel> server_level(const Settings& settings) {
  libconf::DiagnosticDiscard discard;
  const auto level = mta::tls_level(settings, discard);
  return level ? std::optional(*level) : std::nullopt;
}

std::string_view server_level_parameter(const Settings& settings) {
  if (!value_of(settings, "smtpd_tls_security_level").empty()) return "smtpd_tls_security_level";
  if (is_yes(settings, "smtpd_enforce_tls")) return "smtpd_enforce_tls";
  return is_yes(settings, "smtpd_use_tls") ? "smtpd_use_tls" : "smtpd_tls_security_level";
}

bool is_wrapper(const Settings& settings) { return is_yes(settings, "smtpd_tls_wrappermode"); }

bool offers_auth(const Settings& settings) { return is_yes(settings, "smtpd_sasl_auth_enable"); }

bool has_word(const Settings& settings, std::string_view parameter, std::string_view word) {
  const std::vector<std::string> words = words_of(settings, parameter);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& each) { return libconf::equals_ignoring_case(each, word); });
}

bool is_set(const Settings& settings, std::string_view parameter) {
  return settings.explicit_setting(parameter).has_value();
}

}  // namespace postlint
