/// TLS and AUTH as each client and server of a configuration has them, with the obsolete parameters counted.
///
///     for (const SmtpClient& client : smtp_clients(site))
///       if (client.level == mta::ClientTlsLevel::kNone) ...
///
/// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/delivery/client_tls_policy.h"
#include "tools/mta/tls/tls_policy.h"
#include "tools/postlint/site_model.h"

namespace postlint {

/// A service of smtp(8) that speaks SMTP; where there is no master.cf, the one that main.cf would be for.
struct SmtpClient {
  const libconf::Settings& settings;
  /// What sets the level: smtp_tls_security_level, or an obsolete parameter.
  std::string level_parameter = {};
  std::string level_name = {};
  std::optional<mta::ClientTlsLevel> level = {};  ///< Nothing: there is no such level.
  bool is_dane = false;                           ///< The level is dane or dane-only.
};
std::vector<SmtpClient> smtp_clients(const SiteModel& site);

/// A level by its name; nothing: there is none of that name. "dane" is kMay and "dane-only" is kEncrypt for
/// who has no TLSA records.
std::optional<mta::ClientTlsLevel> find_client_level(std::string_view name);

/// The level of a server; nothing: there is no such level.
std::optional<mta::TlsLevel> server_level(const libconf::Settings& settings);

/// Which parameter it comes from.
std::string_view server_level_parameter(const libconf::Settings& settings);

bool is_wrapper(const libconf::Settings& settings);

/// Whether clients can log in.
bool offers_auth(const libconf::Settings& settings);

/// Whether the parameter's list has the word, in any case of letters.
bool has_word(const libconf::Settings& settings, std::string_view parameter, std::string_view word);

/// Whether a value is set by somebody, not a default.
bool is_set(const libconf::Settings& settings, std::string_view parameter);

}  // namespace postlint
