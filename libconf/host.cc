#include "libconf/host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <memory>
#include <set>
#include <system_error>

#include "libconf/text.h"

namespace libconf {
namespace {

constexpr std::string_view kNoDomain = "localdomain";

std::vector<std::uint8_t> address_bytes(const sockaddr* address) {
  const std::uint8_t* bytes = nullptr;
  std::size_t length = 0;
  if (address->sa_family == AF_INET) {
    bytes = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
    length = sizeof(in_addr);
  } else if (address->sa_family == AF_INET6) {
    bytes = reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
    length = sizeof(in6_addr);
  }
  return {bytes, bytes + length};
}

int count_ones(const std::vector<std::uint8_t>& mask) {
  int count = 0;
  for (std::uint8_t byte : mask) count += std::popcount(byte);
  return count;
}

Result<std::vector<InterfaceAddress>> system_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0)
    return Error{.kind = ErrorKind::kInputOutput,
                 .message = concat("getifaddrs: ", std::generic_category().message(errno))};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  std::vector<InterfaceAddress> out;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_netmask == nullptr) continue;
    InterfaceAddress address{address_bytes(entry->ifa_addr), 0};
    if (address.address.empty()) continue;
    address.prefix_length = count_ones(address_bytes(entry->ifa_netmask));
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(std::move(address));
  }
  return out;
}

std::vector<std::vector<std::uint8_t>> system_resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::vector<std::vector<std::uint8_t>> out;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next)
    out.push_back(address_bytes(entry->ai_addr));
  return out;
}

/// Which address families inet_protocols allows, by address size.
struct Families {
  bool ipv4 = false;
  bool ipv6 = false;
  bool has(const std::vector<std::uint8_t>& address) const { return address.size() == 4 ? ipv4 : ipv6; }
};

Result<Families> parse_protocols(std::string_view text) {
  Families families;
  std::string_view rest = text;
  while (const auto word = next_word(rest, kListSeparators)) {
    if (*word == "all" || *word == "ipv4") families.ipv4 = true;
    if (*word == "all" || *word == "ipv6") families.ipv6 = true;
    if (*word != "all" && *word != "ipv4" && *word != "ipv6")
      return configuration_error(concat("unknown inet_protocols value \"", *word, "\" in \"", text, "\""));
  }
  return families;
}

bool is_loopback(const std::vector<std::uint8_t>& address) {
  if (address.size() == 4) return address[0] == 127;
  return address.back() == 1 &&
         std::all_of(address.begin(), address.end() - 1, [](auto b) { return b == 0; });
}

/// The interfaces that inet_interfaces names, in the order of the system's list.
Result<std::vector<InterfaceAddress>> select_interfaces(std::string_view names, const Families& families,
                                                        const Host& host) {
  Result<std::vector<InterfaceAddress>> interfaces = host.interfaces();
  if (!interfaces) return interfaces.error();
  std::vector<InterfaceAddress> all;
  for (InterfaceAddress& address : *interfaces)
    if (families.has(address.address)) all.push_back(std::move(address));

  if (names == "all") return all;
  if (names == "loopback-only") {
    std::erase_if(all, [](const InterfaceAddress& a) { return !is_loopback(a.address); });
    return all;
  }
  std::vector<bool> wanted(all.size());
  std::string_view rest = names;
  while (const auto word = next_word(rest, kListSeparators)) {
    std::string_view name = *word;
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
    std::vector<std::vector<std::uint8_t>> addresses = host.resolve(std::string(name));
    std::erase_if(addresses, [&](const auto& address) { return !families.has(address); });
    if (addresses.empty())
      return configuration_error(concat("config variable inet_interfaces: host not found: ", *word));
    bool found = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (std::find(addresses.begin(), addresses.end(), all[i].address) == addresses.end()) continue;
      wanted[i] = true;
      found = true;
    }
    if (!found)
      return configuration_error(concat("parameter inet_interfaces: no local interface found for ", *word));
  }
  std::vector<InterfaceAddress> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (wanted[i]) out.push_back(all[i]);
  return out;
}

int class_prefix_length(std::uint8_t first_byte, int subnet) {
  if (first_byte < 128) return 8;
  if (first_byte < 192) return 16;
  if (first_byte < 224) return 24;
  return subnet;
}

enum class NetworkStyle { kHost, kSubnet, kClass };

/// Exactly one style; any number of words that name the same one.
Result<NetworkStyle> parse_style(std::string_view text) {
  std::set<NetworkStyle> styles;
  std::string_view rest = text;
  while (const auto word = next_word(rest, kListSeparators)) {
    if (*word == "host")
      styles.insert(NetworkStyle::kHost);
    else if (*word == "subnet")
      styles.insert(NetworkStyle::kSubnet);
    else if (*word == "class")
      styles.insert(NetworkStyle::kClass);
    else
      return configuration_error(
          concat("unknown mynetworks mask style value \"", *word, "\" in \"", text, "\""));
  }
  if (styles.size() == 1) return *styles.begin();
  return configuration_error(concat("bad mynetworks_style value: ", text, "; specify exactly one value"));
}

std::string network_text(InterfaceAddress address, NetworkStyle style) {
  const bool is_ipv4 = address.address.size() == 4;
  int prefix = address.prefix_length;
  if (style == NetworkStyle::kHost) prefix = static_cast<int>(address.address.size()) * 8;
  if (style == NetworkStyle::kClass && is_ipv4) prefix = class_prefix_length(address.address[0], prefix);
  for (std::size_t i = 0; i < address.address.size(); ++i) {
    const int bits = std::clamp(prefix - static_cast<int>(i) * 8, 0, 8);
    address.address[i] &= static_cast<std::uint8_t>(0xFF00 >> bits);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address.address.data(), text.data(), text.size());
  return concat(is_ipv4 ? "" : "[", std::string_view(text.data()), is_ipv4 ? "/" : "]/",
                std::to_string(prefix));
}

}  // namespace

Host system_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
  return {name.data(), system_interfaces, system_resolve};
}

Result<std::string> default_mynetworks(const NetworkSettings& settings, const Host& host) {
  const Result<NetworkStyle> style = parse_style(settings.mynetworks_style);
  if (!style) return style.error();
  const Result<Families> families = parse_protocols(settings.inet_protocols);
  if (!families) return families.error();
  const auto interfaces = select_interfaces(trim(settings.inet_interfaces), *families, host);
  if (!interfaces) return interfaces.error();

  std::vector<std::string> networks;
  for (const InterfaceAddress& address : *interfaces) {
    std::string network = network_text(address, *style);
    if (std::find(networks.begin(), networks.end(), network) == networks.end())
      networks.push_back(std::move(network));
  }
  std::string out;
  for (const std::string& network : networks) out += out.empty() ? network : " " + network;
  return out;
}

std::string default_myhostname(std::string_view host_name, std::string_view domain) {
  if (host_name.find('.') != std::string_view::npos) return std::string(host_name);
  return concat(host_name, ".", domain.empty() ? kNoDomain : domain);
}

std::string default_mydomain(std::string_view myhostname) {
  const std::size_t dot = myhostname.find('.');
  return std::string(dot == std::string_view::npos ? kNoDomain : myhostname.substr(dot + 1));
}

}  // namespace libconf
