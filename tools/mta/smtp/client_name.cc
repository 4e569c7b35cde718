#include "tools/mta/smtp/client_name.h"

#include <algorithm>

#include "libconf/text.h"
#include "libmaps/ip_address.h"

namespace mta {
namespace {

using libconf::concat;
using libmaps::IpAddress;
using libmaps::Ipv4Address;
using libmaps::Ipv6Address;

/// "7.2.0.192.in-addr.arpa" (RFC 1035, 3.5)
std::string pointer_name(Ipv4Address address) {
  std::string name;
  for (int octet = 0; octet < 4; ++octet)
    name += concat(std::to_string(address.bits >> (8 * octet) & 0xFF), ".");
  return name + "in-addr.arpa";
}

/// The digits of an address, the last first (RFC 3596, 2.5).
std::string pointer_name(Ipv6Address address) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (const std::uint64_t half : {address.low, address.high}) {
    for (int digit = 0; digit < 16; ++digit) {
      name += kDigits[half >> (4 * digit) & 0xF];
      name += '.';
    }
  }
  return name + "ip6.arpa";
}

NameStatus status_of(DnsStatus status) {
  if (status == DnsStatus::kFound) return NameStatus::kFound;
  return is_temporary(status) ? NameStatus::kTemporaryFailure : NameStatus::kNotFound;
}

}  // namespace

ClientState local_client() {
  return {.address = "127.0.0.1",
          .port = "0",
          .name = "localhost",
          .name_status = NameStatus::kFound,
          .reverse_name = "localhost",
          .reverse_name_status = NameStatus::kFound};
}

asio::awaitable<ClientState> look_up_client(std::string address, std::string port, const HostsFile& hosts,
                                            Resolver& resolver) {
  ClientState client{.address = address, .port = std::move(port)};
  const std::optional<IpAddress> number = libmaps::parse_ip_address(address);
  if (!number) co_return client;
  if (const std::optional<std::string> name = hosts.name_of(*number)) {
    client.name = client.reverse_name = *name;
    client.name_status = client.reverse_name_status = NameStatus::kFound;
    co_return client;
  }
  const std::string pointer = std::visit([](const auto& each) { return pointer_name(each); }, *number);
  const DnsAnswer names = co_await resolver.resolve(pointer, DnsType::kPtr);
  client.reverse_name_status = client.name_status = status_of(names.status);
  if (names.status != DnsStatus::kFound) co_return client;
  client.reverse_name = names.records.front().data;

  const DnsType type = std::holds_alternative<Ipv4Address>(*number) ? DnsType::kA : DnsType::kAaaa;
  const DnsAnswer addresses = co_await resolver.resolve(client.reverse_name, type);
  client.name_status = status_of(addresses.status);
  const bool is_verified =
      std::any_of(addresses.records.begin(), addresses.records.end(),
                  [&](const DnsRecord& record) { return libmaps::parse_ip_address(record.data) == number; });
  if (is_verified) {
    client.name = client.reverse_name;
  } else if (client.name_status == NameStatus::kFound) {
    client.name_status = NameStatus::kNotFound;
  }
  co_return client;
}

}  // namespace mta
