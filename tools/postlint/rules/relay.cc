// Who may send mail to whom.
#include <set>

#include "libconf/text.h"
#include "tools/mta/access/access_action.h"
#include "tools/postlint/relay_probe.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"
#include "tools/postlint/rules/set_parameter.h"
#include "tools/postlint/table_store.h"

namespace postlint::rules {

using libconf::concat;

namespace {

/// A domain of the site, to forge; empty: it has none.
std::string own_domain(const libconf::Settings& settings) {
  for (const std::string_view parameter :
       {"mydestination", "virtual_mailbox_domains", "virtual_alias_domains", "myorigin"})
    for (const std::string& word : words_of(settings, parameter))
      if (word.find_first_of(":/![") == std::string::npos && word.find('.') != std::string::npos) return word;
  return {};
}

struct RelayAttempt {
  std::string_view how;
  ProbeSession session;
};

std::vector<RelayAttempt> relay_attempts(const libconf::Settings& settings) {
  std::vector<RelayAttempt> attempts = {
      {"anybody", {}},
      {"anybody over IPv6", {.client_address = "2001:db8:ffff::7"}},
      {"anybody, as the null sender,", {.sender = ""}},
  };
  const std::string own = own_domain(settings);
  if (own.empty()) return attempts;
  attempts.push_back({"anybody who claims a sender of this site", {.sender = concat("postmaster@", own)}});
  attempts.push_back({"anybody who says HELO with a name of this site", {.helo = own}});
  attempts.push_back(
      {"anybody who routes by user%domain@site", {.recipient = concat("someone%elsewhere.example@", own)}});
  attempts.push_back(
      {"anybody who routes by domain!user@site", {.recipient = concat("elsewhere.example!someone@", own)}});
  return attempts;
}

/// The step that let the mail through; nothing: no restriction said anything.
const mta::TraceStep* deciding_step(const mta::Trace& trace) {
  for (auto step = trace.rbegin(); step != trace.rend(); ++step)
    if (step->result == mta::StepResult::kPermit) return &*step;
  return nullptr;
}

/// The restriction of the server that the step of a probe was about: the probe has read its tables elsewhere.
std::optional<RestrictionPlace> restriction_of(const SiteModel& site, const SmtpServer& server,
                                               const mta::TraceStep& step) {
  std::optional<RestrictionPlace> found;
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (!found && &at.server == &server && site.tables().localized(at.restriction.text) == step.restriction)
      found.emplace(at);
  });
  return found;
}

void report_open_relay(const SiteModel& site, const SmtpServer& server, const RelayAttempt& attempt,
                       const ProbeResult& result, Findings& findings) {
  const mta::TraceStep* step = deciding_step(result.trace);
  std::string message = concat(attempt.how, " may send to any domain through this server");
  if (step == nullptr)
    return findings.add(site.place_of(server.settings, "smtpd_relay_restrictions"),
                        concat(message, ": no restriction refuses it"));
  const std::optional<RestrictionPlace> at = restriction_of(site, server, *step);
  message += concat(": `", at ? at->restriction.text : step->restriction, "' permits it");
  if (!step->table.empty()) message += concat(", for its key \"", step->key, "\"");
  findings.add(at ? at->place() : site.place_of(server.settings, step->list), std::move(message));
}

}  // namespace

void open_relay(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.is_local_only) continue;
    auto probe = RelayProbe::create(site, server.settings);
    if (!probe) continue;  // no-relay-guard and the rules of syntax say why.
    for (const RelayAttempt& attempt : relay_attempts(server.settings)) {
      const ProbeResult result = (*probe)->ask(attempt.session);
      if (!result.is_permitted) continue;
      report_open_relay(site, server, attempt, result, findings);
      break;
    }
  }
}

namespace {

using mta::RestrictionKind;

const NamedRestrictions& relay_list(const SmtpServer& server) {
  return server.list("smtpd_relay_restrictions");
}
const NamedRestrictions& recipient_list(const SmtpServer& server) {
  return server.list("smtpd_recipient_restrictions");
}

bool is_readable(const NamedRestrictions& named, const SmtpServer& server) {
  return !named.error && !server.class_error;
}

bool is_for_users(const SmtpServer& server) {
  return server.role == SmtpRole::kSubmission || server.role == SmtpRole::kSubmissions;
}

/// Whether one of the lists has a restriction of that kind, or that subject.
template <class Test>
bool any_restriction(const SiteModel& site, const SmtpServer& server, Test test) {
  bool found = false;
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (&at.server == &server && test(at.restriction)) found = true;
  });
  return found;
}

}  // namespace

void no_relay_guard(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    const NamedRestrictions& relay = relay_list(server);
    const NamedRestrictions& recipient = recipient_list(server);
    if (!is_readable(relay, server) || !is_readable(recipient, server)) continue;
    if (mta::can_reject(relay.list) || mta::can_reject(recipient.list)) continue;
    const bool is_set = server.settings.explicit_setting(recipient.parameter).has_value();
    findings.add(site.place_of(server.settings, is_set ? recipient.parameter : relay.parameter),
                 "neither smtpd_relay_restrictions nor smtpd_recipient_restrictions can refuse a client");
  }
}

void relay_restr_empty(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    const NamedRestrictions& relay = relay_list(server);
    if (server.is_local_only || !is_readable(relay, server) || !relay.list.empty()) continue;
    findings.add(site.place_of(server.settings, relay.parameter),
                 concat(relay.parameter, " is empty: who may relay depends on the rules against spam alone"));
  }
}

void relay_order(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_relay_before_recipient_restrictions";
  for (const SmtpServer& server : site.smtp_servers())
    if (server.settings.explicit_setting(kName) && !is_yes(server.settings, kName))
      findings.add(site.place_of(server.settings, kName),
                   "mail is only refused for its recipient after all other checks");
}

namespace {

/// Restrictions whose table is asked for something that any client can claim.
bool asks_for_claim(const mta::Restriction& restriction) {
  if (restriction.type->kind == RestrictionKind::kTable) return true;
  if (restriction.type->kind != RestrictionKind::kCheckAccess) return false;
  using enum mta::Subject;
  const mta::Subject subject = restriction.type->subject;
  return subject == kSender || subject == kHelo || subject == kRecipient || subject == kClient ||
         subject == kReverseClient;
}

bool permits(std::string_view value) {
  const mta::AccessAction action = mta::parse_access_action(value, "", "");
  if (action.kind == mta::ActionKind::kOk) return true;
  std::string_view rest = value;
  const auto first = libconf::next_word(rest, libconf::kListSeparators);
  return action.kind == mta::ActionKind::kRestrictions && first &&
         libconf::equals_ignoring_case(*first, "permit");
}

bool is_address_key(std::string_view key) {
  return !key.empty() && key.find_first_not_of("0123456789abcdefABCDEF.:/[]") == std::string_view::npos &&
         key.find_first_of(".:") != std::string_view::npos &&
         key.find_first_of("0123456789") != std::string_view::npos;
}

/// The key of a table that permits whoever claims it; empty: there is none, or it cannot be told.
std::string permitting_key(const SiteModel& site, std::string_view spec, bool is_client) {
  const std::size_t colon = spec.find(':');
  const std::string_view type = spec.substr(0, colon);
  const std::string_view name = spec.substr(colon + 1);
  if (type == "static") return permits(name) ? "*" : "";
  if (type == "cidr") return {};  // Its keys are addresses, which cannot be claimed.
  if (type == "pcre" || type == "regexp") {
    for (const PatternLine& line : site.tables().pattern_lines(type, name))
      if (permits(line.result)) return line.pattern;
    return {};
  }
  for (const TableEntry& entry : site.tables().entries(type, name))
    if (permits(entry.value) && !(is_client && is_address_key(entry.key))) return std::string(entry.key);
  return {};
}

}  // namespace

void permit_before_guard(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.is_local_only) continue;
    const NamedRestrictions& named =
        mta::can_reject(relay_list(server).list) ? relay_list(server) : recipient_list(server);
    if (!mta::can_reject(named.list)) continue;
    for (const mta::Restriction& restriction : named.list) {
      const RestrictionKind kind = restriction.type->kind;
      if (kind == RestrictionKind::kRejectUnauthDestination || kind == RestrictionKind::kReject) break;
      const auto* spec = std::get_if<std::string>(&restriction.argument);
      if (spec == nullptr || !asks_for_claim(restriction)) continue;
      const std::string key = permitting_key(site, *spec, restriction.type->subject == mta::Subject::kClient);
      if (key.empty()) continue;
      findings.add(RestrictionPlace{site, server, named, restriction}.place(),
                   concat(*spec, " permits \"", key,
                          "\" before reject_unauth_destination is reached: who claims it may relay"));
    }
  }
}

namespace {

/// What reading a list has left out, behind something that always decides.
void report_ignored(const SiteModel& site, const SmtpServer& server,
                    const std::vector<std::string>& parameters,
                    const std::vector<libconf::Diagnostic>& warnings, Findings& findings) {
  for (const libconf::Diagnostic& warning : warnings) {
    if (warning.code != "restriction-ignored") continue;
    const std::size_t begin = warning.message.find('`') + 1;
    const std::string word = warning.message.substr(begin, warning.message.find('\'', begin) - begin);
    for (const std::string& parameter : parameters) {
      Place place = site.place_of(server.settings, parameter, word);
      const bool is_there = place.end_column - place.column == static_cast<int>(word.size());
      if (!is_there && parameters.size() > 1) continue;
      findings.add(std::move(place), warning.message);
      break;
    }
  }
}

/// What of a list is never reached, by what has been said before it.
void find_unreachable(const SiteModel& site, const SmtpServer& server, const NamedRestrictions& named,
                      Findings& findings) {
  const auto place = [&](const mta::Restriction& restriction) {
    return RestrictionPlace{site, server, named, restriction}.place();
  };
  report_ignored(site, server, {std::string(named.parameter)}, named.warnings, findings);
  std::set<std::string_view> seen;
  bool refuses_foreign = false;
  std::string_view decided;
  for (const mta::Restriction& restriction : named.list) {
    const RestrictionKind kind = restriction.type->kind;
    if (!decided.empty()) {
      findings.add(place(restriction), concat("`", restriction.text, "' is never reached: ", decided,
                                              " before it always decides"));
      return;
    }
    if (!restriction.warn_only && kind != RestrictionKind::kSleep && !seen.insert(restriction.text).second)
      findings.add(place(restriction), concat("`", restriction.text, "' is in the list already"));
    const auto* spec = std::get_if<std::string>(&restriction.argument);
    if (kind == RestrictionKind::kRejectUnauthDestination && !restriction.warn_only) refuses_foreign = true;
    if (kind == RestrictionKind::kPermitAuthDestination && refuses_foreign)
      decided = "reject_unauth_destination with permit_auth_destination";
    if (spec != nullptr && spec->starts_with("static:") && !restriction.warn_only &&
        !libconf::equals_ignoring_case(std::string_view(*spec).substr(7), "DUNNO"))
      decided = restriction.text;
  }
}

}  // namespace

void unreachable_rule(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    report_ignored(site, server, words_of(server.settings, "smtpd_restriction_classes"),
                   server.class_warnings, findings);
    for (const NamedRestrictions& named : server.lists) find_unreachable(site, server, named, findings);
  }
}

void test_knob_left(const SiteModel& site, Findings& findings) {
  for_each_setting(site, [&](const libconf::Settings& settings, std::string_view name) {
    if (name == "soft_bounce" && is_yes(settings, name))
      findings.add(site.place_of(settings, name), "soft_bounce turns every refusal into \"try again later\"",
                   settings.explicit_setting(name)->origin.kind == libconf::OriginKind::kMainCf
                       ? std::optional(Fix{.main_cf = {{std::string(name), "no"}}})
                       : std::nullopt);
    if (name == "debug_peer_list" && !value_of(settings, name).empty())
      findings.add(site.place_of(settings, name), "debug_peer_list logs sessions in full");
  });
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (at.restriction.warn_only)
      findings.add(at.place(),
                   concat("warn_if_reject stands before `", at.restriction.text, "': it refuses nothing"));
  });
  for (const Service& service : site.services())
    for (const std::string& argument : service.service().arguments())
      if (argument == "-v" || argument == "-vv" || argument == "-D")
        findings.add(site.place_of(service, libconf::MasterField::kCommand),
                     concat("the service runs with ", argument, ", which is for debugging"));
}

void helo_not_required(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "smtpd_helo_required";
  for (const SmtpServer& server : site.smtp_servers()) {
    if (server.is_local_only || is_yes(server.settings, kName)) continue;
    const bool checks_helo = any_restriction(site, server, [](const mta::Restriction& restriction) {
      return restriction.type->subject == mta::Subject::kHelo;
    });
    if (!checks_helo) continue;
    findings.add(site.place_of(server.settings,
                               server.settings.explicit_setting(kName) ? kName : "smtpd_helo_restrictions"),
                 "a client that says no HELO passes by the checks of HELO",
                 set_parameter(server, kName, "yes"));
  }
}

namespace {

/// Checks of clients that stand before a user's login counts, and come from main.cf.
void find_inherited_checks(const SiteModel& site, const SmtpServer& server, Findings& findings) {
  for (const NamedRestrictions& named : server.lists) {
    const auto setting = server.settings.explicit_setting(named.parameter);
    if (!setting || setting->origin.kind != libconf::OriginKind::kMainCf) continue;
    for (const mta::Restriction& restriction : named.list) {
      const RestrictionKind kind = restriction.type->kind;
      if (kind == RestrictionKind::kPermitSaslAuthenticated) break;
      const bool is_for_mx = kind == RestrictionKind::kRejectAddressList ||
                             kind == RestrictionKind::kRejectNameList ||
                             kind == RestrictionKind::kRejectUnknownClient;
      if (!is_for_mx || server.service == nullptr) continue;
      findings.add(site.place_of(*server.service),
                   concat(named.parameter, " of main.cf counts here, too: users meet `", restriction.text,
                          "' before their login is looked at"));
      break;
    }
  }
}

}  // namespace

void submission_inherits(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (!is_for_users(server) || server.is_local_only || server.service == nullptr) continue;
    find_inherited_checks(site, server, findings);
    const std::string own = own_domain(server.settings);
    libconf::Settings settings = server.settings;
    settings.override_value("smtpd_reject_unlisted_recipient", "no");
    auto probe = own.empty() ? libconf::Result<std::unique_ptr<RelayProbe>>(libconf::Error{})
                             : RelayProbe::create(site, settings);
    if (!probe) continue;
    if ((*probe)->ask({.recipient = concat("postmaster@", own)}).is_permitted)
      findings.add(site.place_of(*server.service),
                   concat("clients that have not logged in may send to ", own, ": no list ends with reject"));
  }
}

void sender_spoof(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    if (!is_yes(server.settings, "smtpd_sasl_auth_enable")) continue;
    const bool is_checked = any_restriction(site, server, [](const mta::Restriction& restriction) {
      return restriction.type->kind == RestrictionKind::kRejectLoginMismatch && !restriction.warn_only;
    });
    if (!is_checked)
      findings.add(
          server.service == nullptr ? site.place_of(server.settings, "smtpd_sasl_auth_enable")
                                    : site.place_of(*server.service),
          "a user who has logged in may send as anybody: no restriction looks at smtpd_sender_login_maps");
  }
}

}  // namespace postlint::rules
