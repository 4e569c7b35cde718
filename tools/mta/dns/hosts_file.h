/// The names that this host gives to addresses itself: hosts(5).
///
///     const HostsFile hosts = HostsFile::load("/etc/hosts");
///     hosts.name_of(*libmaps::parse_ip_address("127.0.0.1"));  // "localhost"
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libmaps/ip_address.h"

namespace mta {

/// Immutable once read; thread-safe.
class HostsFile {
 public:
  /// A file that cannot be read has no names: most hosts could do without.
  static HostsFile load(const std::string& file);

  /// Lines of an address and names; what follows '#' is a comment. Lines that are none are passed over.
  static HostsFile parse(std::string_view text);

  /// The first name in the first line with that address.
  std::optional<std::string> name_of(const libmaps::IpAddress& address) const;

 private:
  std::map<libmaps::IpAddress, std::string> names_;
};

}  // namespace mta
