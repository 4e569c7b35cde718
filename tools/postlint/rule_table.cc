#include <algorithm>
#include <array>
#include <vector>

#include "tools/postlint/rule.h"
#include "tools/postlint/rules/groups.h"
#include "tools/postlint/rules/rules.h"

namespace postlint {
namespace {

using enum libconf::Severity;

constexpr std::array kRules = {
    Rule{.id = "bad-expression",
         .group = "syntax",
         .severity = kError,
         .summary = "a $name expression cannot be read",
         .rationale = "The program that needs the value stops with \"macro processing error\".",
         .reference = "postconf(5), \"the general format of the main.cf file\"",
         .mend = "balance the braces, or double the $ that is meant as such",
         .check = rules::bad_expression},
    Rule{.id = "bad-ignore",
         .group = "syntax",
         .severity = kWarning,
         .summary = "a comment \"postlint: ignore=\" names no rule, or gives no reason",
         .rationale = "Who comes later cannot tell whether the exception still holds.",
         .reference = "postlint(1), COMMENTS",
         .mend = "name a rule of --list-rules, and say why it does not count here",
         .check = rules::bad_ignore},
    Rule{.id = "bad-value",
         .group = "syntax",
         .severity = kError,
         .summary = "a value is of the wrong type or out of range",
         .rationale = "Postfix's tools accept the value; the daemon that reads it does not start, or takes "
                      "the default.",
         .reference = "postconf(5), the parameter",
         .mend = "give a value of the parameter's type (postconf --explain NAME)",
         .check = rules::bad_value},
    Rule{.id = "compat-level",
         .group = "syntax",
         .severity = kWarning,
         .summary = "compatibility_level is not set or old, so that old defaults count",
         .rationale = "With an old level Postfix keeps defaults that were changed for good reasons, and logs "
                      "a warning each time one counts.",
         .reference = "COMPATIBILITY_README",
         .mend = "set the parameters that must keep their old values, then compatibility_level to the "
                 "installed release",
         .check = rules::compat_level},
    Rule{.id = "deprecated-param",
         .group = "syntax",
         .severity = kWarning,
         .summary = "a parameter is to be removed",
         .rationale = "A coming release of Postfix ignores it, and what it did is no longer done.",
         .reference = "DEPRECATION_README",
         .mend = "use what has replaced it",
         .check = rules::deprecated_param},
    Rule{.id = "dup-param",
         .group = "syntax",
         .severity = kWarning,
         .summary = "a parameter is set more than once in main.cf",
         .rationale = "The last value wins without a word; edits of the first have no effect.",
         .reference = "postconf(5); https://github.com/mailcow/mailcow-dockerized/issues/7352",
         .mend = "remove all settings of the parameter but the last",
         .check = rules::dup_param},
    Rule{.id = "dup-service",
         .group = "syntax",
         .severity = kWarning,
         .summary = "master.cf has several entries for a service",
         .rationale = "The last entry wins; options of the first have no effect.",
         .reference = "master(5); https://github.com/docker-mailserver/docker-mailserver/issues/3784",
         .mend = "remove all entries of the service but one",
         .check = rules::dup_service},
    Rule{.id = "malformed-line",
         .group = "syntax",
         .severity = kError,
         .summary = "a line of main.cf is no setting",
         .rationale = "Every program of Postfix stops at such a line.",
         .reference = "postconf(5), \"the general format of the main.cf file\"",
         .mend = "write NAME = VALUE, or make the line a comment",
         .check = rules::malformed_line},
    Rule{.id = "quoted-value",
         .group = "syntax",
         .severity = kError,
         .summary = "a value stands in quotes",
         .rationale = "main.cf has no quotes: they become part of the value, and nothing matches it.",
         .reference = "postconf(5); https://github.com/voxpupuli/puppet-postfix/issues/69",
         .mend = "remove the quotes",
         .check = rules::quoted_value},
    Rule{.id = "ref-cycle",
         .group = "syntax",
         .severity = kError,
         .summary = "a value refers to itself",
         .rationale = "Its expansion ends with \"unreasonable macro call nesting\", and the program that "
                      "needs it stops. \"postfix check\" may be silent.",
         .reference = "postconf(5), \"the general format of the main.cf file\"",
         .mend = "write the value out in one of the parameters",
         .check = rules::ref_cycle},
    Rule{.id = "removed-restriction",
         .group = "syntax",
         .severity = kError,
         .summary = "a restriction list has a restriction that Postfix no longer supports",
         .rationale = "Since Postfix 3.9 a client gets \"451 4.3.5 Server configuration error\" when the "
                      "list comes to it.",
         .reference = "DEPRECATION_README",
         .mend = "use the restriction that has replaced it",
         .check = rules::removed_restriction},
    Rule{.id = "restriction-arg",
         .group = "syntax",
         .severity = kError,
         .summary = "a restriction has a missing or bad argument",
         .rationale = "Nothing complains until mail arrives; then clients get \"451 4.3.5 Server "
                      "configuration error\".",
         .reference = "SMTPD_ACCESS_README; postconf(5), smtpd_client_restrictions",
         .mend = "give the restriction the argument that it needs",
         .check = rules::restriction_arg},
    Rule{
        .id = "suspicious-layout",
        .group = "syntax",
        .severity = kWarning,
        .summary = "a line has become part of another one, or is ignored",
        .rationale = "A blank at the start of a line makes it continue the line before; a '#' begins a "
                     "comment only at the start of a line.",
        .reference = "postconf(5); https://github.com/Mailu/Mailu/issues/2757; "
                     "https://github.com/Mailu/Mailu/issues/1655",
        .mend =
            "start each setting and each service in the first column, and put comments on lines of their own",
        .check = rules::suspicious_layout},
    Rule{.id = "template-residue",
         .group = "syntax",
         .severity = kError,
         .summary = "a placeholder has not been filled in",
         .rationale = "The value is that of a template or an example, not of this host.",
         .reference = "RFC 2606",
         .mend = "fill in the value",
         .check = rules::template_residue},
    Rule{.id = "undef-ref",
         .group = "syntax",
         .severity = kWarning,
         .summary = "a $name refers to nothing",
         .rationale = "It counts as empty, which silently shortens lists.",
         .reference = "postconf(5), \"the general format of the main.cf file\"",
         .mend = "correct the name, or define it",
         .check = rules::undef_ref},
    Rule{.id = "unknown-restriction",
         .group = "syntax",
         .severity = kError,
         .summary = "a restriction list has a name that is no restriction",
         .rationale = "Nothing complains until mail arrives; then every client gets \"451 4.3.5 Server "
                      "configuration error\".",
         .reference = "SMTPD_ACCESS_README; https://github.com/mail-in-a-box/mailinabox/issues/2",
         .mend = "correct the name, or define it in smtpd_restriction_classes",
         .check = rules::unknown_restriction},
    Rule{.id = "unused-param",
         .group = "syntax",
         .severity = kWarning,
         .summary = "nothing uses a parameter",
         .rationale = "Most often the name is misspelt, and the default counts in place of what was meant.",
         .reference = "postconf(1); https://github.com/sous-chefs/postfix/issues/81",
         .mend = "correct the name, or remove the setting",
         .check = rules::unused_param},
    Rule{.id = "version-mismatch",
         .group = "syntax",
         .severity = kWarning,
         .summary = "the target release of Postfix does not have a parameter",
         .rationale = "That release ignores the setting; \"postconf\" warns of it at best.",
         .reference = "postconf(5), \"This feature is available in Postfix ...\"",
         .mend = "remove the setting, or raise --target",
         .check = rules::version_mismatch},
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

std::span<const Rule> all_rules() {
  static const std::vector<Rule> kAll = [] {
    std::vector<Rule> all(kRules.begin(), kRules.end());
    for (const std::span<const Rule> group : {tls_rules(), table_rules(), master_rules()})
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }();
  return kAll;
}

const Rule* find_rule(std::string_view id) {
  const std::span<const Rule> rules = all_rules();
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.id == id; });
  return found == rules.end() ? nullptr : &*found;
}

std::string_view profile_name(Profile profile) { return kProfileNames[static_cast<std::size_t>(profile)]; }

std::optional<Profile> find_profile(std::string_view name) {
  for (std::size_t i = 0; i < kProfileNames.size(); ++i)
    if (kProfileNames[i] == name) return static_cast<Profile>(i);
  return std::nullopt;
}

}  // namespace postlint
