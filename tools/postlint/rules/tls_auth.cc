// Who logs in, and over what.
#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/delivery/client_tls_policy.h"
#include "tools/postlint/relay_probe.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/tls.h"
#include "tools/postlint/tls_views.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Settings;
using mta::ClientTlsLevel;
using mta::TlsLevel;

void auth_plaintext(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    const Settings& settings = server.settings;
    const auto level = server_level(settings);
    if (server.is_local_only || !offers_auth(settings) || !level || *level == TlsLevel::kEncrypt) continue;
    if (is_yes(settings, "smtpd_tls_auth_only")) continue;
    if (has_word(settings, "smtpd_sasl_security_options", "noplaintext")) continue;
    findings.add(site.place_of(settings, "smtpd_sasl_auth_enable"),
                 *level == TlsLevel::kNone
                     ? "passwords are taken without TLS, which is off"
                     : "passwords are taken without TLS, too: smtpd_tls_auth_only is not set");
  }
}

void auth_port25(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers())
    if (server.role == SmtpRole::kMx && server.service != nullptr && !server.is_local_only &&
        offers_auth(server.settings))
      findings.add(site.place_of(server.settings, "smtpd_sasl_auth_enable"),
                   "port 25 takes passwords, and whoever guesses them comes there");
}

void auth_never(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers())
    if (offers_auth(server.settings) && is_yes(server.settings, "smtpd_tls_auth_only") &&
        server_level(server.settings) == TlsLevel::kNone)
      findings.add(site.place_of(server.settings, "smtpd_tls_auth_only"),
                   "nobody can log in: that takes TLS, which is off");
}

void submission_no_auth(const SiteModel& site, Findings& findings) {
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    const bool is_for_users =
        at.server.role == SmtpRole::kSubmission || at.server.role == SmtpRole::kSubmissions;
    if (is_for_users && at.restriction.type->kind == mta::RestrictionKind::kPermitSaslAuthenticated &&
        at.server.service != nullptr && !offers_auth(at.server.settings))
      findings.add(site.place_of(*at.server.service),
                   "nobody can log in here: smtpd_sasl_auth_enable is not set");
  });
}

namespace {

/// What smtp_tls_policy_maps say of the relay host; nothing: nobody here can tell.
std::optional<ClientTlsLevel> policy_for_relayhost(const SiteModel& site, const Settings& settings) {
  const std::string relayhost = value_of(settings, "relayhost");
  const Settings here = localized_settings(site, settings);
  libconf::DiagnosticDiscard discard;
  auto policies = mta::ClientTlsPolicies::open("smtp_", {.settings = here, .warnings = discard});
  if (!policies) return std::nullopt;
  std::string domain = relayhost.substr(0, relayhost.find("]:"));
  std::erase_if(domain, [](char c) { return c == '[' || c == ']'; });
  domain = domain.substr(0, domain.find(':'));
  const auto policy = (*policies)->find(relayhost, domain, domain);
  return policy ? std::optional(policy->level) : std::nullopt;
}

}  // namespace

void client_auth_clear(const SiteModel& site, Findings& findings) {
  for (const SmtpClient& client : smtp_clients(site)) {
    const Settings& settings = client.settings;
    if (!is_yes(settings, "smtp_sasl_auth_enable") || !client.level) continue;
    if (*client.level >= ClientTlsLevel::kEncrypt) continue;
    if (has_word(settings, "smtp_sasl_security_options", "noplaintext")) continue;
    if (!words_of(settings, "smtp_tls_policy_maps").empty()) {
      const auto level = policy_for_relayhost(site, settings);
      if (!level || *level >= ClientTlsLevel::kEncrypt) continue;
    }
    findings.add(site.place_of(settings, "smtp_sasl_auth_enable"),
                 concat("the password may be sent in the clear: the TLS level is ", client.level_name));
  }
}

namespace {

void check_anonymous(const SiteModel& site, const Settings& settings,
                     std::initializer_list<std::string_view> parameters, std::string_view message,
                     Findings& findings) {
  for (const std::string_view parameter : parameters)
    if (!has_word(settings, parameter, "noanonymous"))
      return findings.add(site.place_of(settings, parameter), concat(parameter, message));
}

}  // namespace

void sasl_anonymous(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers())
    if (offers_auth(server.settings))
      check_anonymous(site, server.settings,
                      {"smtpd_sasl_security_options", "smtpd_sasl_tls_security_options"},
                      " lets clients log in as nobody, and relay", findings);
  for (const SmtpClient& client : smtp_clients(site))
    if (is_yes(client.settings, "smtp_sasl_auth_enable"))
      check_anonymous(site, client.settings, {"smtp_sasl_security_options", "smtp_sasl_tls_security_options"},
                      " lets the client log in as nobody, where a server asks for that", findings);
}

void sasl_no_passwords(const SiteModel& site, Findings& findings) {
  for (const SmtpClient& client : smtp_clients(site))
    if (is_yes(client.settings, "smtp_sasl_auth_enable") &&
        words_of(client.settings, "smtp_sasl_password_maps").empty())
      findings.add(site.place_of(client.settings, "smtp_sasl_auth_enable"),
                   "smtp_sasl_password_maps is empty: the client has nothing to log in with, and stops");
}

}  // namespace postlint::rules
