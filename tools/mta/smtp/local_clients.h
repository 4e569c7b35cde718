/// Whose mail gets $myorigin in its headers (postconf(5), local_header_rewrite_clients).
///
///     Result<LocalClients> clients = LocalClients::open(context, own_addresses);
///     Result<bool> is_local = clients->has(state);
#pragma once

#include <optional>
#include <vector>

#include "libconf/result.h"
#include "libmaps/ip_address.h"
#include "libmaps/match_list.h"
#include "libmaps/table_context.h"
#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// Movable; not thread-safe, as tables are not.
class LocalClients {
 public:
  /// `own_addresses` are those of permit_inet_interfaces. What `context` refers to must outlive the object.
  /// Errors: as Settings::get(), TableList::open() and MatchList::parse().
  static libconf::Result<LocalClients> open(const libmaps::TableContext& context,
                                            std::vector<libmaps::IpAddress> own_addresses);

  /// Whether one of the rules has the session's client. Errors: those of tables.
  libconf::Result<bool> has(const SmtpdState& state);

 private:
  /// A word of the parameter.
  struct Rule {
    libconf::Result<bool> (LocalClients::*matches)(Rule& rule, const SmtpdState& state) = nullptr;
    TableList table = {};  ///< Of check_address_map.
  };
  struct RuleName;
  static const RuleName kRuleNames[];

  LocalClients() = default;
  libconf::Result<bool> is_own(Rule& rule, const SmtpdState& state);
  libconf::Result<bool> is_in_mynetworks(Rule& rule, const SmtpdState& state);
  libconf::Result<bool> is_authenticated(Rule& rule, const SmtpdState& state);
  libconf::Result<bool> has_listed_certificate(Rule& rule, const SmtpdState& state);
  libconf::Result<bool> has_trusted_certificate(Rule& rule, const SmtpdState& state);
  libconf::Result<bool> is_in_table(Rule& rule, const SmtpdState& state);

  std::vector<Rule> rules_;
  std::vector<libmaps::IpAddress> own_addresses_;
  std::optional<libmaps::MatchList> mynetworks_;
  TableList certificates_;  ///< relay_clientcerts
};

}  // namespace mta
