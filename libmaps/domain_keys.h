/// The keys under which tables and lists may have a host, a domain or an address: itself first, then what
/// contains it.
///
///     for (std::string_view key : domain_keys("a.example.com", ParentStyle::kDotted)) ask(key);
///     // "a.example.com", ".example.com", ".com"
///
/// All functions but parent_style() are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/ip_address.h"

namespace libmaps {

/// How a pattern says that it means the subdomains of example.com (postconf(5),
/// parent_domain_matches_subdomains).
enum class ParentStyle {
  kDotted,  ///< ".example.com"
  kPlain,   ///< "example.com", which then means the domain and its subdomains.
};

/// What parent_domain_matches_subdomains says for `feature`: "relay_domains", "smtpd_access_maps". Errors: as
/// Settings::get().
libconf::Result<ParentStyle> parent_style(const libconf::Settings& settings, std::string_view feature);

/// `domain` and its parents, the longest first. Views point into `domain`. An address in brackets has no
/// parents.
std::vector<std::string_view> domain_keys(std::string_view domain, ParentStyle style);

/// The address and the networks around it, one part after the other cut off: "192.0.2.1", "192.0.2", "192.0",
/// "192"; with IPv6 at each colon of the compressed form (access(5), HOST NAME/ADDRESS PATTERNS).
std::vector<std::string> network_keys(const IpAddress& address);

}  // namespace libmaps
