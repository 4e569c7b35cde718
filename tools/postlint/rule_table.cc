#include <algorithm>
#include <array>

#include "tools/postlint/rule.h"
#include "tools/postlint/rules/rules.h"

namespace postlint {
namespace {

using enum libconf::Severity;

constexpr std::array kRules = {
    Rule{.id = "bad-value",
         .group = "syntax",
         .severity = kError,
         .summary = "a value is of the wrong type or out of range",
         .rationale = "Postfix's tools accept the value; the daemon that reads it does not start, or takes "
                      "the default.",
         .reference = "postconf(5), the parameter",
         .mend = "give a value of the parameter's type (postconf --explain NAME)",
         .check = rules::bad_value},
    Rule{.id = "dup-param",
         .group = "syntax",
         .severity = kWarning,
         .summary = "a parameter is set more than once in main.cf",
         .rationale = "The last value wins without a word; edits of the first have no effect.",
         .reference = "postconf(5); https://github.com/mailcow/mailcow-dockerized/issues/7352",
         .mend = "remove all settings of the parameter but one",
         .check = rules::dup_param},
    Rule{.id = "unknown-restriction",
         .group = "syntax",
         .severity = kError,
         .summary = "a restriction list has a name that is no restriction",
         .rationale = "Nothing complains until mail arrives; then every client gets \"451 4.3.5 Server "
                      "configuration error\".",
         .reference = "SMTPD_ACCESS_README; https://github.com/mail-in-a-box/mailinabox/issues/2",
         .mend = "correct the name, or define it in smtpd_restriction_classes",
         .check = rules::unknown_restriction},
    Rule{.id = "mynetworks-wide",
         .group = "relay",
         .severity = kError,
         .summary = "mynetworks trusts everybody, or a large public network",
         .rationale = "Whoever is in mynetworks may relay; with /0 that is everybody on the Internet.",
         .reference = "postconf(5), mynetworks; https://github.com/mailcow/mailcow-dockerized/issues/733",
         .mend = "list the addresses of your own hosts only",
         .check = rules::mynetworks_wide},
    Rule{.id = "open-relay",
         .group = "relay",
         .severity = kError,
         .profiles = kAllProfiles,
         .summary = "a stranger may send mail to any domain through this server",
         .rationale = "Spammers find an open relay within hours; the host then stands on every block list.",
         .reference =
             "RFC 5321, section 7.8; SMTPD_ACCESS_README, \"Dangerous use of smtpd_recipient_restrictions\"",
         .mend = "let reject_unauth_destination stand before everything that can permit strangers",
         .check = rules::open_relay},
};

constexpr std::array<std::string_view, 4> kProfileNames = {"null-client", "mx", "submission", "relay"};

}  // namespace

std::span<const Rule> all_rules() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const Rule& rule) { return rule.id == id; });
  return found == kRules.end() ? nullptr : &*found;
}

std::string_view profile_name(Profile profile) { return kProfileNames[static_cast<std::size_t>(profile)]; }

std::optional<Profile> find_profile(std::string_view name) {
  for (std::size_t i = 0; i < kProfileNames.size(); ++i)
    if (kProfileNames[i] == name) return static_cast<Profile>(i);
  return std::nullopt;
}

}  // namespace postlint
