/// The settings of an `ldap:` table (ldap_table(5)).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "libconf/result.h"
#include "libmaps/ldap_attributes.h"
#include "libmaps/query_template.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

enum class LdapBind : std::uint8_t { kNone, kSimple, kSasl };

/// What a connection needs.
struct LdapServerSettings {
  std::string table;   ///< "ldap:./aliases.cf", for messages
  std::string config;  ///< "./aliases.cf"
  std::string uris;    ///< Separated by blanks; tried in this order.
  int version = 3;
  int timeout = 0;  ///< Seconds, as configured: of 0, the library says that it is a bad parameter.
  LdapBind bind = LdapBind::kSimple;
  std::string bind_dn;
  std::string bind_password;
  std::string sasl_mechanisms;
  std::string sasl_realm;
  std::string sasl_authorization;
  int sasl_min_ssf = 0;
  int size_limit = 0;   ///< Entries that a search may find; 0: any number.
  int dereference = 0;  ///< LDAP_DEREF_...
  bool chases_referrals = false;
  bool starts_tls = false;
  bool uses_tls = false;  ///< By STARTTLS, or from the first byte (ldaps).
  bool requires_certificate = false;
  std::string tls_ca_file;
  std::string tls_ca_directory;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_random_file;
  std::string tls_ciphers;
  int debug_level = 0;

  /// How long to wait for the server, at each step.
  std::chrono::seconds patience() const { return std::chrono::seconds(timeout > 0 ? timeout : 10); }
};

/// What a lookup needs.
struct LdapSettings {
  /// The query templates of `rules`.
  static constexpr std::size_t kBase = 0;
  static constexpr std::size_t kFilter = 1;

  LdapServerSettings server;
  QueryRules rules;
  int scope = 0;  ///< LDAP_SCOPE_...
  LdapAttributes attributes = {};
  std::int64_t recursion_limit = 0;
};

/// Reads them. The sink gets warnings of what is odd. Errors: kConfiguration and kSyntax.
libconf::Result<LdapSettings> read_ldap_settings(const TableConfig& config, const TableContext& context);

}  // namespace libmaps
