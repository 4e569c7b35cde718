// Who may send mail to whom.
#include <array>

#include "libconf/text.h"
#include "libmaps/network_pattern.h"
#include "tools/postlint/relay_probe.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"
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

/// Networks that are not routed on the Internet: RFC 1918, 6598, 3927, 1122, 4193, 4291.
constexpr std::array<std::string_view, 9> kPrivateNetworks = {
    "10.0.0.0/8",  "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
    "127.0.0.0/8", "fc00::/7",      "fe80::/10",      "::1/128",
};

/// Public networks up to these sizes may well be one organisation's own.
constexpr int kWidestIpv4 = 16;
constexpr int kWidestIpv6 = 32;

template <class Address>
bool is_within(const libmaps::IpNetwork<Address>& inner, const libmaps::IpNetwork<Address>& outer) {
  return inner.length >= outer.length && outer.contains(inner.address);
}

template <class Address>
bool is_private(const libmaps::IpNetwork<Address>& network) {
  for (const std::string_view text : kPrivateNetworks) {
    const auto known = libmaps::parse_network_pattern(text);
    const auto* same_family = known ? std::get_if<libmaps::IpNetwork<Address>>(&*known) : nullptr;
    if (same_family != nullptr && is_within(network, *same_family)) return true;
  }
  return false;
}

std::string too_wide(const libmaps::NetworkPattern& pattern) {
  return std::visit(
      []<class Address>(const libmaps::IpNetwork<Address>& network) -> std::string {
        constexpr int kWidest = Address::kBits == 32 ? kWidestIpv4 : kWidestIpv6;
        if (network.length == 0) return "every client is trusted";
        if (network.length < kWidest && !is_private(network))
          return concat("a public network of /", std::to_string(network.length), " is trusted");
        return {};
      },
      pattern);
}

}  // namespace

void mynetworks_wide(const SiteModel& site, Findings& findings) {
  const auto check = [&](const libconf::Settings& settings) {
    for (const std::string& word : words_of(settings, "mynetworks")) {
      const auto pattern = libmaps::parse_network_pattern(word);
      const std::string problem = pattern ? too_wide(*pattern) : std::string();
      if (!problem.empty())
        findings.add(site.place_of(settings, "mynetworks", word), concat(word, ": ", problem));
    }
  };
  for (const SmtpServer& server : site.smtp_servers()) check(server.settings);
}

}  // namespace postlint::rules
