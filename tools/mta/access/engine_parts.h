/// What the engine is made of, for the files that implement restrictions.
#pragma once

#include <array>
#include <optional>

#include "libmaps/match_list.h"
#include "tools/mta/access/access_settings.h"
#include "tools/mta/access/access_tables.h"
#include "tools/mta/access/engine.h"
#include "tools/mta/access/recipient_listing.h"
#include "tools/mta/access/restriction_list.h"

namespace mta {

/// The lists, in the order of SMTP.
enum class ListName : std::uint8_t { kClient, kHelo, kSender, kRelay, kRecipient, kData, kEndOfData, kEtrn };

struct NamedList {
  std::string_view parameter;
  /// What `reject` and the like say is rejected.
  Subject subject = Subject::kNone;
  std::string file = {};
  int line = 0;
  RestrictionList restrictions = {};
};

struct AccessEngine::Parts {
  Parts(const libconf::Settings& parameters, AccessServices others, AccessSite here, AccessSettings read,
        libmaps::AddressRules rules, RestrictionClasses known)
      : settings(parameters),
        services(std::move(others)),
        site(std::move(here)),
        values(std::move(read)),
        tables(parameters, std::move(rules)),
        classes(std::move(known)) {}

  const NamedList& list(ListName name) const { return lists[static_cast<std::size_t>(name)]; }

  const libconf::Settings& settings;
  AccessServices services;
  AccessSite site;
  AccessSettings values;
  AccessTables tables;
  RestrictionClasses classes;
  std::array<NamedList, 8> lists;
  /// What is checked unasked (smtpd_reject_unlisted_*); empty: it is not.
  NamedList unlisted_sender;
  NamedList unlisted_recipient;
  /// What connections are made to, by inet_protocols.
  std::vector<DnsType> address_types;
  std::unique_ptr<RecipientListing> listing;
  std::optional<libmaps::MatchList> mynetworks;
  std::optional<libmaps::MatchList> mx_backup_networks;
  std::optional<libmaps::MatchList> logged_permits;  ///< smtpd_log_access_permit_actions
  std::unique_ptr<libmaps::AddressLookup> login_maps;
  std::vector<std::string> relay_clientcerts;
  std::vector<std::string> rbl_reply_maps;
};

}  // namespace mta
