// How the SMTP server speaks.
#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "tools/postlint/release_features.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"
#include "tools/postlint/rules/set_parameter.h"

namespace postlint::rules {

using libconf::concat;

namespace {

/// The first release that forbids what these rules are about by default.
constexpr Version kStrictDefaults{3, 9, 0};

bool refuses_pipelining_at_data(const SmtpServer& server) {
  const mta::RestrictionList& list = server.list("smtpd_data_restrictions").list;
  return std::any_of(list.begin(), list.end(), [](const mta::Restriction& restriction) {
    return restriction.type->kind == mta::RestrictionKind::kRejectUnauthPipelining && !restriction.warn_only;
  });
}

bool hides_chunking(const SmtpServer& server) {
  const std::vector<std::string> words = words_of(server.settings, "smtpd_discard_ehlo_keywords");
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return libconf::equals_ignoring_case(word, "chunking"); });
}

/// What the server has of a parameter whose default has become strict with Postfix 3.9.
std::string value_for(const SiteModel& site, const SmtpServer& server, std::string_view name) {
  if (!server.settings.explicit_setting(name) && site.target() < kStrictDefaults) return "no";
  return value_of(server.settings, name);
}

}  // namespace

void bare_newline(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_forbid_bare_newline";
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.is_local_only) continue;
    if (!has_parameter(site.target(), kName)) {
      // The workaround of the advisory for releases that lack the parameter.
      if (refuses_pipelining_at_data(server) && hides_chunking(server)) continue;
      findings.add(
          site.place_of(server.settings, kName),
          concat("Postfix ", to_string(site.target()), " takes a bare line feed for the end of a line"));
      continue;
    }
    const std::string value = value_for(site, server, kName);
    const bool only_notes = libconf::equals_ignoring_case(value, "note");
    if (!only_notes && !libconf::equals_ignoring_case(value, "no")) continue;
    findings.add(site.place_of(server.settings, kName),
                 only_notes ? "a bare line feed is only logged, and taken for the end of a line"
                            : "a bare line feed is taken for the end of a line",
                 set_parameter(server, kName, "normalize"));
  }
}

void unauth_pipelining(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_forbid_unauth_pipelining";
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.is_local_only || refuses_pipelining_at_data(server)) continue;
    const bool is_there = has_parameter(site.target(), kName);
    if (is_there && !libconf::equals_ignoring_case(value_for(site, server, kName), "no")) continue;
    findings.add(site.place_of(server.settings, kName),
                 "clients may send commands before they have read the replies",
                 is_there ? set_parameter(server, kName, "yes") : std::nullopt);
  }
}

void banner_leak(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_banner";
  constexpr std::array<std::string_view, 8> kTelltales = {
      "$mail_version", "${mail_version}", "$mail_release_date", "Debian", "Ubuntu", "CentOS",
      "Red Hat",       "Linux",
  };
  for (const SmtpServer& server : site.smtp_servers()) {
    const auto setting = server.settings.explicit_setting(kName);
    if (server.is_local_only || !setting) continue;
    for (const std::string_view word : kTelltales)
      if (setting->value.find(word) != std::string_view::npos)
        findings.add(site.place_of(server.settings, kName, word),
                     concat("the banner tells everybody: ", word));
  }
}

void banner_name(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_banner";
  for (const SmtpServer& server : site.smtp_servers()) {
    if (!server.settings.explicit_setting(kName)) continue;
    const std::string banner = value_of(server.settings, kName);
    std::string_view rest = banner;
    const auto first = libconf::next_word(rest, libconf::kBlanks);
    if (first && libconf::equals_ignoring_case(*first, value_of(server.settings, "myhostname"))) continue;
    findings.add(site.place_of(server.settings, kName),
                 "the banner does not begin with the name of the host");
  }
}

void vrfy_on(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "disable_vrfy_command";
  for (const SmtpServer& server : site.smtp_servers())
    if (!server.is_local_only && !is_yes(server.settings, kName))
      findings.add(site.place_of(server.settings, kName), "VRFY tells anybody which addresses exist",
                   set_parameter(server, kName, "yes"));
}

}  // namespace postlint::rules
