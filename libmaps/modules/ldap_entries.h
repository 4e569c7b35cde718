/// What the entries of an answer say, and the entries that these point to (ldap_table(5),
/// `special_result_attribute`).
#pragma once

#include <string_view>

#include "libmaps/modules/ldap_connection.h"
#include "libmaps/modules/ldap_settings.h"
#include "libmaps/query_template.h"

namespace libmaps {

/// How collect_ldap_values() ended.
enum class LdapOutcome : std::uint8_t {
  kDone,    ///< All values are in the list.
  kFailed,  ///< Could not tell; the sink has the reason.
  kLost,    ///< The connection is lost, and nobody was told: another one may do.
};

/// Adds the values that the entries in `answer` have for `key` to `results`, and those of entries that DNs
/// and URLs in them lead to, in the order in which they stand there. The latter are asked for on
/// `connection`, regardless of the server that a URL names.
LdapOutcome collect_ldap_values(LdapConnection& connection, const LdapSettings& settings,
                                std::string_view key, const LdapAnswer& answer, ResultList& results,
                                libconf::DiagnosticSink& warnings, LdapAnswer& failure);

}  // namespace libmaps
