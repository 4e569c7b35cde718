// DNS lists.
#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/rules/rules.h"

namespace postlint::rules {

using libconf::concat;

namespace {

/// Lists that have ended; some of them answer every question with "listed" to be rid of it. Names below them
/// are dead, too.
constexpr std::array<std::string_view, 24> kDeadLists = {
    "ahbl.org",  // 2015
    "bl.csma.biz",
    "bl.emailbasura.org",
    "bl.spamcannibal.org",    // 2018
    "blackholes.easynet.nl",  // 2003
    "dnsbl.burnt-tech.com",
    "dnsbl.inps.de",
    "dnsbl.net.au",
    "dsbl.org",  // 2009
    "dul.ru",
    "fabel.dk",
    "ix.dnsbl.manitu.net",  // 2025
    "mail-abuse.org",
    "njabl.org",  // 2013
    "no-more-funn.moensted.dk",
    "opm.blitzed.org",  // 2006
    "ordb.org",         // 2006: lists everybody
    "orbitrbl.com",
    "osirusoft.com",  // 2003
    "rbl.megarbl.net",
    "sbl-xbl.spamhaus.org",
    "sorbs.net",  // 2024
    "virbl.bit.nl",
    "virbl.dnsbl.bit.nl",
};

/// Lists that answer 127.255.255.x to whom they do not serve: open resolvers, too many questions.
constexpr std::array<std::string_view, 2> kListsWithErrorCodes = {"spamhaus.net", "spamhaus.org"};

bool is_below(std::string_view domain, std::string_view parent) {
  return domain.ends_with(parent) &&
         (domain.size() == parent.size() || domain[domain.size() - parent.size() - 1] == '.');
}

template <std::size_t Count>
bool is_one_of(std::string_view domain, const std::array<std::string_view, Count>& lists) {
  return std::any_of(lists.begin(), lists.end(),
                     [&](std::string_view list) { return is_below(domain, list); });
}

/// A DNS list in use. References live during the visit.
struct ListUse {
  std::string_view domain;
  bool has_filter;
  std::function<Place()> place;
};

void for_each_list(const SiteModel& site, const std::function<void(const ListUse&)>& visit) {
  for_each_restriction(site, [&](const RestrictionPlace& at) {
    if (const auto* list = std::get_if<mta::RblArgument>(&at.restriction.argument))
      visit({list->domain, list->filter.has_value(), [&] { return at.place(); }});
  });
  constexpr std::string_view kSites = "postscreen_dnsbl_sites";
  const auto check = [&](const libconf::Settings& settings) {
    for (const std::string& word : words_of(settings, kSites)) {
      // domain=filter*weight
      const std::string_view text = word;
      const std::string_view domain = text.substr(0, text.find_first_of("=*"));
      visit({domain, text.find('=') != std::string_view::npos,
             [&] { return site.place_of(settings, kSites, word); }});
    }
  };
  check(site.settings());
  for (const Service& service : site.services())
    if (service.program() == "postscreen") check(service.settings);
}

}  // namespace

void rbl_dead(const SiteModel& site, Findings& findings) {
  for_each_list(site, [&](const ListUse& use) {
    if (is_one_of(use.domain, kDeadLists)) findings.add(use.place(), concat(use.domain, " is no longer run"));
  });
}

void rbl_no_filter(const SiteModel& site, Findings& findings) {
  for_each_list(site, [&](const ListUse& use) {
    if (!use.has_filter && is_one_of(use.domain, kListsWithErrorCodes) && !is_one_of(use.domain, kDeadLists))
      findings.add(use.place(),
                   concat("any answer of ", use.domain, " counts as \"listed\", its error codes, too"));
  });
}

void rbl_before_trust(const SiteModel& site, Findings& findings) {
  for (const SmtpServer& server : site.smtp_servers()) {
    for (const NamedRestrictions& named : server.lists) {
      const mta::Restriction* list = nullptr;
      for (const mta::Restriction& restriction : named.list) {
        const mta::RestrictionKind kind = restriction.type->kind;
        if (kind == mta::RestrictionKind::kRejectAddressList && !restriction.warn_only && list == nullptr)
          list = &restriction;
        const bool is_trust = kind == mta::RestrictionKind::kPermitMynetworks ||
                              kind == mta::RestrictionKind::kPermitSaslAuthenticated;
        if (!is_trust || list == nullptr) continue;
        findings.add(
            RestrictionPlace{site, server, named, *list}.place(),
            concat("`", list->text, "' refuses clients before `", restriction.text, "' can let them in"));
        break;
      }
    }
  }
}

}  // namespace postlint::rules
