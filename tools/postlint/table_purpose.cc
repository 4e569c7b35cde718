#include "tools/postlint/table_purpose.h"

#include <algorithm>
#include <array>
#include <map>

#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "libmaps/network_pattern.h"
#include "tools/postlint/rules/restrictions.h"
#include "tools/postlint/table_store.h"
#include "tools/postlint/tls_views.h"

namespace postlint {
namespace {

using mta::RestrictionKind;
using mta::Subject;
using rules::RestrictionPlace;

struct ParameterPurpose {
  std::string_view parameter;
  TablePurpose purpose;
};
constexpr std::array kParameters = {
    ParameterPurpose{"alias_database", TablePurpose::kAliases},
    ParameterPurpose{"alias_maps", TablePurpose::kAliases},
    ParameterPurpose{"body_checks", TablePurpose::kChecks},
    ParameterPurpose{"canonical_maps", TablePurpose::kAddress},
    ParameterPurpose{"header_checks", TablePurpose::kChecks},
    ParameterPurpose{"milter_header_checks", TablePurpose::kChecks},
    ParameterPurpose{"mime_header_checks", TablePurpose::kChecks},
    ParameterPurpose{"mydestination", TablePurpose::kDomains},
    ParameterPurpose{"nested_header_checks", TablePurpose::kChecks},
    ParameterPurpose{"recipient_bcc_maps", TablePurpose::kAddress},
    ParameterPurpose{"recipient_canonical_maps", TablePurpose::kAddress},
    ParameterPurpose{"relay_domains", TablePurpose::kDomainsBelow},
    ParameterPurpose{"relay_recipient_maps", TablePurpose::kAddress},
    ParameterPurpose{"relocated_maps", TablePurpose::kAddress},
    ParameterPurpose{"sender_bcc_maps", TablePurpose::kAddress},
    ParameterPurpose{"sender_canonical_maps", TablePurpose::kAddress},
    ParameterPurpose{"sender_dependent_default_transport_maps", TablePurpose::kAddress},
    ParameterPurpose{"sender_dependent_relayhost_maps", TablePurpose::kAddress},
    ParameterPurpose{"smtp_body_checks", TablePurpose::kChecks},
    ParameterPurpose{"smtp_generic_maps", TablePurpose::kAddress},
    ParameterPurpose{"smtp_header_checks", TablePurpose::kChecks},
    ParameterPurpose{"smtp_mime_header_checks", TablePurpose::kChecks},
    ParameterPurpose{"smtp_nested_header_checks", TablePurpose::kChecks},
    ParameterPurpose{"smtp_sasl_password_maps", TablePurpose::kPasswords},
    ParameterPurpose{"smtp_tls_policy_maps", TablePurpose::kTlsPolicy},
    ParameterPurpose{"smtpd_sender_login_maps", TablePurpose::kAddress},
    ParameterPurpose{"transport_maps", TablePurpose::kTransport},
    ParameterPurpose{"virtual_alias_domains", TablePurpose::kDomains},
    ParameterPurpose{"virtual_alias_maps", TablePurpose::kAddress},
    ParameterPurpose{"virtual_gid_maps", TablePurpose::kNumbers},
    ParameterPurpose{"virtual_mailbox_domains", TablePurpose::kDomains},
    ParameterPurpose{"virtual_mailbox_maps", TablePurpose::kAddress},
    ParameterPurpose{"virtual_uid_maps", TablePurpose::kNumbers},
};

/// Parameters that only pass on what others say: they are no use of their own.
constexpr std::array<std::string_view, 5> kLists = {"proxy_read_maps", "proxy_write_maps",
                                                    "local_recipient_maps", "address_verify_transport_maps",
                                                    "postscreen_access_list"};

bool is_in_parents(const libconf::Settings& settings, std::string_view parameter) {
  return has_word(settings, "parent_domain_matches_subdomains", parameter);
}

TableUsage usage_of(const TableUse& use) {
  TableUsage usage{.parameter = use.parameter};
  for (const ParameterPurpose& known : kParameters)
    if (known.parameter == use.parameter) usage.purpose = known.purpose;
  usage.is_per_sender = is_yes(*use.settings, "smtp_sender_dependent_authentication");
  usage.is_delivery = use.parameter.starts_with("smtp_");
  usage.is_body = use.parameter.ends_with("body_checks");
  if (usage.purpose == TablePurpose::kTransport || usage.purpose == TablePurpose::kDomainsBelow)
    usage.matches_subdomains = is_in_parents(*use.settings, use.parameter);
  return usage;
}

TablePurpose access_purpose(const mta::RestrictionType& type) {
  switch (type.kind) {
    case RestrictionKind::kCheckAccess:
      if (type.subject == Subject::kSender || type.subject == Subject::kRecipient)
        return TablePurpose::kAccessAddress;
      return type.subject == Subject::kEtrn ? TablePurpose::kAccessOther : TablePurpose::kAccessHost;
    case RestrictionKind::kCheckAAccess:
    case RestrictionKind::kCheckMxAccess:
    case RestrictionKind::kCheckNsAccess:
      return TablePurpose::kAccessHost;
    default:
      return TablePurpose::kAccessOther;
  }
}

using Jobs = std::map<std::pair<std::string, std::string>, TableJob>;

void add_usage(Jobs& jobs, std::string_view type, std::string_view name, TableUsage usage) {
  TableJob& job = jobs[{std::string(type), std::string(name)}];
  job.type = type;
  job.name = name;
  const bool is_known = std::any_of(job.usages.begin(), job.usages.end(), [&](const TableUsage& other) {
    return other.parameter == usage.parameter && other.purpose == usage.purpose;
  });
  if (!is_known) job.usages.push_back(std::move(usage));
}

void add_access_tables(const SiteModel& site, Jobs& jobs) {
  rules::for_each_restriction(site, [&](const RestrictionPlace& at) {
    const auto* table = std::get_if<std::string>(&at.restriction.argument);
    if (table == nullptr || at.restriction.type->kind == RestrictionKind::kClass) return;
    TableUsage usage{.purpose = access_purpose(*at.restriction.type),
                     .parameter = std::string(at.restriction.type->name)};
    usage.matches_subdomains = is_in_parents(at.server.settings, "smtpd_access_maps");
    libconf::DiagnosticDiscard discard;
    libconf::for_each_table(*table, "main.cf", discard, [&](std::string_view type, std::string_view name) {
      if (is_file_type(type)) add_usage(jobs, type, name, usage);
    });
  });
}

}  // namespace

bool TableJob::has(TablePurpose purpose) const {
  return std::any_of(usages.begin(), usages.end(),
                     [&](const TableUsage& usage) { return usage.purpose == purpose; });
}

std::vector<TableJob> table_jobs(const SiteModel& site) {
  Jobs jobs;
  for (const TableUse& use : site.table_uses()) {
    const bool is_list = std::find(kLists.begin(), kLists.end(), use.parameter) != kLists.end();
    const bool is_restriction = use.parameter.ends_with("_restrictions");
    if (!is_file_type(use.type) || use.name.starts_with('{') || is_list) continue;
    if (is_restriction)
      jobs[{use.type, use.name}];
    else
      add_usage(jobs, use.type, use.name, usage_of(use));
  }
  add_access_tables(site, jobs);
  std::vector<TableJob> out;
  for (auto& [key, job] : jobs) {
    job.type = key.first;
    job.name = key.second;
    out.push_back(std::move(job));
  }
  return out;
}

namespace {

std::string_view reason_for(std::string_view key, const TableUsage& usage) {
  const std::size_t at = key.rfind('@');
  const bool has_at = at != std::string_view::npos;
  const bool is_only_domain = has_at && at == 0;
  const bool is_only_user = has_at && at + 1 == key.size();
  const bool is_network =
      key.find('/') != std::string_view::npos && !has_at && libmaps::parse_network_pattern(key).has_value();
  const bool is_below = key.starts_with('.');
  switch (usage.purpose) {
    case TablePurpose::kUnknown:
    case TablePurpose::kAliases:
    case TablePurpose::kChecks:
    case TablePurpose::kNumbers:
    case TablePurpose::kAccessOther:
      return {};
    case TablePurpose::kAddress:
      if (is_only_user) return "\"user@\" is a form of access tables only";
      if (is_below) return "subdomains are not looked up here";
      if (key == "*" || key.starts_with("*@")) return "'*' is no wildcard here: @domain is";
      return {};
    case TablePurpose::kTransport:
      if (is_only_domain) return "a domain is written without '@' here";
      if (is_only_user) return "\"user@\" is a form of access tables only";
      if (is_below && usage.matches_subdomains)
        return "parent_domain_matches_subdomains has transport_maps: write the domain without a dot";
      if (key.size() > 1 && key.front() == '*') return "'*' is a wildcard only when it stands alone";
      return {};
    case TablePurpose::kAccessAddress:
      if (is_only_domain) return "a domain is written without '@' here";
      if (is_below && usage.matches_subdomains)
        return "parent_domain_matches_subdomains has smtpd_access_maps: write the domain without a dot";
      if (key.front() == '*') return "'*' is no wildcard here";
      return {};
    case TablePurpose::kAccessHost:
      if (has_at) return "hosts and addresses are looked up here, not mail addresses";
      if (is_network) return "networks are not looked up here: use cidr:, or the first octets alone";
      if (is_below && usage.matches_subdomains)
        return "parent_domain_matches_subdomains has smtpd_access_maps: write the domain without a dot";
      if (key.front() == '*') return "'*' is no wildcard here";
      if (key.ends_with('.')) return "a network is written without its last dot";
      return {};
    case TablePurpose::kDomains:
      if (has_at) return "domains are looked up here, not addresses";
      if (is_below) return "subdomains are not looked up here";
      if (key.front() == '*') return "'*' is no wildcard here";
      return {};
    case TablePurpose::kDomainsBelow:
      if (has_at) return "domains are looked up here, not addresses";
      if (is_below && usage.matches_subdomains)
        return "parent_domain_matches_subdomains has relay_domains: write the domain without a dot";
      if (key.front() == '*') return "'*' is no wildcard here";
      return {};
    case TablePurpose::kTlsPolicy:
      if (has_at) return "next hops are looked up here, not addresses";
      if (key.front() == '*') return "'*' is no wildcard here";
      return {};
    case TablePurpose::kPasswords:
      if (has_at && !usage.is_per_sender)
        return "senders are looked up only with smtp_sender_dependent_authentication";
      if (key.front() == '*') return "'*' is no wildcard here";
      return {};
  }
  return {};
}

}  // namespace

std::string_view dead_key_reason(std::string_view key, const std::vector<TableUsage>& usages) {
  std::string_view reason;
  if (key.empty()) return reason;
  // Most keys have none of these characters at a place that counts, and need no further look.
  if (key.front() != '@' && key.front() != '.' && key.front() != '*' && key.back() != '@' &&
      key.back() != '.' && key.find('/') == std::string_view::npos && key.find('@') == std::string_view::npos)
    return reason;
  for (const TableUsage& usage : usages) {
    reason = reason_for(key, usage);
    if (reason.empty()) return {};
  }
  return reason;
}

}  // namespace postlint
