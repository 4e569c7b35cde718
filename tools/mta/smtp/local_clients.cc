#include "tools/mta/smtp/local_clients.h"

#include <algorithm>
#include <iterator>

#include "libconf/text.h"
#include "libmaps/domain_keys.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {

using libconf::Result;
using libmaps::MatchKind;
using libmaps::MatchList;

struct LocalClients::RuleName {
  std::string_view name;
  Result<bool> (LocalClients::*matches)(Rule& rule, const SmtpdState& state);
};

constexpr LocalClients::RuleName LocalClients::kRuleNames[] = {
    {"permit_inet_interfaces", &LocalClients::is_own},
    {"permit_mynetworks", &LocalClients::is_in_mynetworks},
    {"permit_sasl_authenticated", &LocalClients::is_authenticated},
    {"permit_tls_all_clientcerts", &LocalClients::has_trusted_certificate},
    {"permit_tls_clientcerts", &LocalClients::has_listed_certificate},
};

Result<LocalClients> LocalClients::open(const libmaps::TableContext& context,
                                        std::vector<libmaps::IpAddress> own_addresses) {
  constexpr std::string_view kParameter = "local_header_rewrite_clients";
  LocalClients clients;
  clients.own_addresses_ = std::move(own_addresses);
  const Result<std::string> value = context.settings.get(kParameter);
  if (!value) return value.error();
  std::string_view rest = *value;
  while (const auto word = libconf::next_braced_word(rest, libconf::kListSeparators)) {
    const auto* const known = std::find_if(std::begin(kRuleNames), std::end(kRuleNames),
                                           [&word](const RuleName& each) { return each.name == *word; });
    if (known != std::end(kRuleNames)) {
      clients.rules_.push_back({known->matches});
    } else if (word->find(':') != std::string_view::npos) {
      clients.rules_.push_back({&LocalClients::is_in_table, TableList::of(*word, context)});
    } else if (*word != "check_address_map") {  // Which says no more than the table behind it.
      context.warnings.warn("local-clients",
                            libconf::concat("parameter \"", kParameter, "\": invalid request: ", *word));
    }
  }
  const Result<libmaps::ParentStyle> parents = libmaps::parent_style(context.settings, "mynetworks");
  if (!parents) return parents.error();
  Result<MatchList> networks =
      open_list("mynetworks", {.kind = MatchKind::kNetworks, .parents = *parents}, context);
  if (!networks) return networks.error();
  clients.mynetworks_.emplace(std::move(*networks));
  Result<TableList> certificates = TableList::open("relay_clientcerts", context);
  if (!certificates) return certificates.error();
  clients.certificates_ = std::move(*certificates);
  return clients;
}

Result<bool> LocalClients::has(const SmtpdState& state) {
  for (Rule& rule : rules_) {
    const Result<bool> matches = (this->*rule.matches)(rule, state);
    if (!matches || *matches) return matches;
  }
  return false;
}

Result<bool> LocalClients::is_own(Rule&, const SmtpdState& state) {
  const auto address = libmaps::parse_ip_address(state.client.address);
  return address && std::find(own_addresses_.begin(), own_addresses_.end(), *address) != own_addresses_.end();
}

Result<bool> LocalClients::is_in_mynetworks(Rule&, const SmtpdState& state) {
  return mynetworks_->matches_client(state.client.name, state.client.address);
}

Result<bool> LocalClients::is_authenticated(Rule&, const SmtpdState& state) {
  return state.sasl.is_authenticated;
}

Result<bool> LocalClients::has_listed_certificate(Rule&, const SmtpdState& state) {
  for (const std::string* const print :
       {&state.tls.certificate_fingerprint, &state.tls.public_key_fingerprint}) {
    if (print->empty()) continue;
    const Result<std::optional<std::string>> found = certificates_.lookup(*print);
    if (!found) return found.error();
    if (*found) return true;
  }
  return false;
}

Result<bool> LocalClients::has_trusted_certificate(Rule&, const SmtpdState& state) {
  return state.tls.is_certificate_trusted;
}

Result<bool> LocalClients::is_in_table(Rule& rule, const SmtpdState& state) {
  const Result<std::optional<std::string>> found = rule.table.lookup(state.client.address);
  if (!found) return found.error();
  return found->has_value();
}

}  // namespace mta
