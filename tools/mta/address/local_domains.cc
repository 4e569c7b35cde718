#include "tools/mta/address/local_domains.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "libconf/text.h"
#include "tools/mta/daemon/waiting_table.h"

namespace mta {
namespace {

using libconf::equals_ignoring_case;
using libconf::Result;
using libmaps::IpAddress;
using libmaps::Ipv4Address;
using libmaps::Ipv6Address;

constexpr std::string_view kIpv6Tag = "IPv6:";

std::uint64_t number_of(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | bytes[i];
  return number;
}

bool is_loopback(const std::vector<std::uint8_t>& bytes) {
  if (bytes.size() == 4) return bytes[0] == 127;
  return number_of(bytes.data(), 8) == 0 && number_of(bytes.data() + 8, 8) == 1;
}

}  // namespace

std::optional<IpAddress> literal_address(std::string_view domain) {
  if (!domain.starts_with('[') || !domain.ends_with(']')) return std::nullopt;
  domain = domain.substr(1, domain.size() - 2);
  if (!equals_ignoring_case(domain.substr(0, kIpv6Tag.size()), kIpv6Tag)) {
    const auto address = libmaps::parse_ipv4(domain);
    return address ? std::optional<IpAddress>(*address) : std::nullopt;
  }
  const auto address = libmaps::parse_ipv6(domain.substr(kIpv6Tag.size()));
  return address ? std::optional<IpAddress>(*address) : std::nullopt;
}

Result<std::shared_ptr<LocalDomains>> LocalDomains::from(const AddressContext& context) {
  auto destinations = open_list("mydestination", {.kind = libmaps::MatchKind::kStrings}, context.tables);
  if (!destinations) return destinations.error();
  std::shared_ptr<LocalDomains> domains(new LocalDomains(std::move(*destinations)));
  Result<std::string> origin = context.settings().get("myorigin");
  if (!origin) return origin.error();
  domains->origin_ = std::move(*origin);
  const auto protocols = context.settings().get_list("inet_protocols");
  if (!protocols) return protocols.error();
  const auto has_protocol = [&](std::string_view name) {
    return std::any_of(protocols->begin(), protocols->end(),
                       [&](const std::string& word) { return word == "all" || word == name; });
  };
  domains->has_ipv4_ = has_protocol("ipv4");
  domains->has_ipv6_ = has_protocol("ipv6");
  if (Result<void> done = domains->add_interfaces("inet_interfaces", context); !done) return done.error();
  domains->interface_count_ = domains->addresses_.size();
  if (Result<void> done = domains->add_interfaces("proxy_interfaces", context); !done) return done.error();
  return domains;
}

Result<void> LocalDomains::add_interfaces(std::string_view parameter, const AddressContext& context) {
  const auto words = context.settings().get_list(parameter);
  if (!words) return words.error();
  for (const std::string& word : *words) {
    if (word != "all" && word != "loopback-only") {
      const bool is_bracketed = word.starts_with('[') && word.ends_with(']');
      const std::string name = is_bracketed ? word.substr(1, word.size() - 2) : word;
      for (const auto& bytes : context.host.resolve(name)) add_address(bytes);
      continue;
    }
    const auto interfaces = context.host.interfaces();
    if (!interfaces) return interfaces.error();
    for (const libconf::InterfaceAddress& interface : *interfaces)
      if (word == "all" || is_loopback(interface.address)) add_address(interface.address);
  }
  return {};
}

void LocalDomains::add_address(const std::vector<std::uint8_t>& bytes) {
  if (bytes.size() == 4 && has_ipv4_)
    addresses_.emplace_back(Ipv4Address{static_cast<std::uint32_t>(number_of(bytes.data(), 4))});
  if (bytes.size() == 16 && has_ipv6_)
    addresses_.emplace_back(Ipv6Address{number_of(bytes.data(), 8), number_of(bytes.data() + 8, 8)});
}

Result<bool> LocalDomains::has(std::string_view domain) {
  if (const auto address = literal_address(domain))
    if (std::find(addresses_.begin(), addresses_.end(), *address) != addresses_.end()) return true;
  return destinations_.matches(domain);
}

Result<bool> LocalDomains::is_site(std::string_view domain) {
  if (equals_ignoring_case(domain, origin_)) return true;
  return has(domain);
}

libmaps::AddressLookup::IsLocalSite is_site_of(std::shared_ptr<LocalDomains> domains) {
  return [domains = std::move(domains)](std::string_view domain) { return domains->is_site(domain); };
}

}  // namespace mta
