/// Which domains this system delivers itself: mydestination, and the address literals of its own interfaces
/// (ADDRESS_CLASS_README, "The local domain class").
///
///     auto domains = LocalDomains::from(context);
///     if (!domains) return domains.error();
///     Result<bool> is_local = (*domains)->has("example.com");
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/address_lookup.h"
#include "libmaps/ip_address.h"
#include "libmaps/match_list.h"
#include "tools/mta/address/address_context.h"

namespace mta {

/// The address in a literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321, section 4.1.3). Nothing: it is
/// not one. Pure; thread-safe.
std::optional<libmaps::IpAddress> literal_address(std::string_view domain);

/// Not thread-safe, as tables are not.
class LocalDomains {
 public:
  /// Reads mydestination, inet_interfaces, proxy_interfaces, inet_protocols and myorigin. Errors: as
  /// open_list(), and those of the host's interfaces.
  static libconf::Result<std::shared_ptr<LocalDomains>> from(const AddressContext& context);

  /// Whether `domain` is local. Errors: those of tables; never taken for "no".
  libconf::Result<bool> has(std::string_view domain);

  /// Whether keys without a domain are for `domain`, too: it is local, or $myorigin (canonical(5),
  /// virtual(5)).
  libconf::Result<bool> is_site(std::string_view domain);

  /// Those of inet_interfaces and proxy_interfaces.
  const std::vector<libmaps::IpAddress>& addresses() const { return addresses_; }

  /// Those of inet_interfaces alone.
  std::span<const libmaps::IpAddress> interfaces() const {
    return std::span(addresses_).first(interface_count_);
  }

 private:
  explicit LocalDomains(libmaps::MatchList destinations) : destinations_(std::move(destinations)) {}
  libconf::Result<void> add_interfaces(std::string_view parameter, const AddressContext& context);
  void add_address(const std::vector<std::uint8_t>& bytes);

  libmaps::MatchList destinations_;
  std::vector<libmaps::IpAddress> addresses_;
  std::size_t interface_count_ = 0;  ///< How many of them are of inet_interfaces: the first.
  std::string origin_;
  bool has_ipv4_ = true;
  bool has_ipv6_ = true;
};

/// LocalDomains::is_site() for AddressLookup, which shares the object.
libmaps::AddressLookup::IsLocalSite is_site_of(std::shared_ptr<LocalDomains> domains);

}  // namespace mta
