#include "tools/mta/access/host_name.h"

#include "tools/mta/address/domain_syntax.h"
#include "tools/mta/address/local_domains.h"

namespace mta {

bool is_valid_host_name(std::string_view name) { return is_host_name(without_final_dot(name), false); }

std::optional<libmaps::IpAddress> bracketed_address(std::string_view text) {
  if (const auto address = literal_address(text)) return address;
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  const auto address = libmaps::parse_ipv6(text.substr(1, text.size() - 2));
  return address ? std::optional<libmaps::IpAddress>(*address) : std::nullopt;
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

}  // namespace mta
