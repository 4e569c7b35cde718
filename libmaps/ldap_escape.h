/// Parts of LDAP requests that are made of other people's texts (ldap_table(5), `query_filter`,
/// `search_base`, `server_host`).
///
///     escape_ldap_filter("a*b", out);  // a\2ab
///     escape_ldap_dn("a,b", out);      // a\,b
///     ldap_server_uris("db1:1389 ldaps://db2", 389);
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace libmaps {

/// Appends `text` as an assertion value of a search filter (RFC 4515, 3): it matches itself, and has no
/// wildcards. Any bytes.
void escape_ldap_filter(std::string_view text, std::string& out);

/// Appends `text` as (a part of) an attribute value in a distinguished name (RFC 4514, 2.4). Any bytes.
void escape_ldap_dn(std::string_view text, std::string& out);

/// One of the servers of `server_host`.
struct LdapServerUri {
  std::string uri;
  bool is_written = false;  ///< As it is, not made of a host name.
};

/// The servers of `server_host`, which are separated by blanks or commas: one that has a scheme of LDAP
/// ("ldap", "ldaps", "ldapi", "cldap") as it is, "HOST:PORT" as "ldap://HOST:PORT", "HOST" as
/// "ldap://HOST:`default_port`".
std::vector<LdapServerUri> ldap_server_uris(std::string_view server_host, std::string_view default_port);

}  // namespace libmaps
