/// What tables are for: which keys are looked up in them, and what their values mean.
///
///     for (const TableJob& job : table_jobs(site)) scan(job.type, job.path, job.purposes);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/postlint/site_model.h"

namespace postlint {

/// Who asks.
enum class TablePurpose : std::uint8_t {
  kUnknown,
  kAliases,        ///< alias_maps: local names.
  kAddress,        ///< canonical(5), virtual(5), generic(5) and the like: addresses, users, @domain.
  kTransport,      ///< transport(5): addresses, domains, .domain.
  kAccessAddress,  ///< access(5), EMAIL ADDRESS PATTERNS.
  kAccessHost,     ///< access(5), HOST NAME/ADDRESS PATTERNS.
  kAccessOther,    ///< access(5) about something else.
  kDomains,        ///< A list of domains: mydestination and the like.
  kDomainsBelow,   ///< One that may match subdomains: relay_domains.
  kChecks,         ///< header_checks(5), body_checks(5)
  kTlsPolicy,      ///< smtp_tls_policy_maps
  kPasswords,      ///< smtp_sasl_password_maps
  kNumbers,        ///< virtual_uid_maps and virtual_gid_maps
};

struct TableUsage {
  TablePurpose purpose = TablePurpose::kUnknown;
  std::string parameter = {};
  bool matches_subdomains = false;  ///< "domain" matches what is below, and ".domain" nothing.
  bool is_per_sender = false;       ///< kPasswords: senders are looked up, too.
  bool is_delivery = false;         ///< kChecks: smtp_header_checks and its kin.
  bool is_body = false;             ///< kChecks: of lines of the body.
};

/// One table, with all its usages.
struct TableJob {
  std::string type;
  std::string name;  ///< As configured.
  std::vector<TableUsage> usages;
  bool has(TablePurpose purpose) const;
};

/// All tables that are told from files, each once. Those of defaults that nobody set are among them.
std::vector<TableJob> table_jobs(const SiteModel& site);

/// Why a key of a table with fixed keys is never looked up; empty: it may be.
std::string_view dead_key_reason(std::string_view key, const std::vector<TableUsage>& usages);

}  // namespace postlint
