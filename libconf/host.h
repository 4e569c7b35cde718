/// What the host contributes to a configuration: its name, and the networks that it is on.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace libconf {

/// An address of a local interface, as bytes in network order: 4 for IPv4, 16 for IPv6.
struct InterfaceAddress {
  std::vector<std::uint8_t> address;
  int prefix_length = 0;
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// The facts that defaults derive from. Tests supply their own; system_host() asks the operating system.
struct Host {
  std::string name;  ///< As gethostname(2) gives it, perhaps without a domain.
  std::function<Result<std::vector<InterfaceAddress>>()> interfaces;
  /// The addresses of a host name or address text; none when there are none.
  std::function<std::vector<std::vector<std::uint8_t>>(const std::string& name)> resolve;
};

Host system_host();

/// Values that the default of mynetworks depends on, expanded.
struct NetworkSettings {
  std::string_view inet_interfaces;
  std::string_view inet_protocols;
  std::string_view mynetworks_style;
};

/// The default of mynetworks (postconf(5), mynetworks_style). Errors: kConfiguration, as Postfix words them.
Result<std::string> default_mynetworks(const NetworkSettings& settings, const Host& host);

/// The default of myhostname for a host called `host_name` when mydomain is `domain` (empty: not set).
std::string default_myhostname(std::string_view host_name, std::string_view domain);

/// The default of mydomain for an expanded myhostname.
std::string default_mydomain(std::string_view myhostname);

}  // namespace libconf
