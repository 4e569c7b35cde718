#include "libmaps/ip_address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>

namespace libmaps {
namespace {

/// The value of each hexadecimal digit; -1 for any other character.
constexpr auto kHexDigits = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (const std::string_view digits : {"0123456789abcdef", "0123456789ABCDEF"})
    for (std::size_t i = 0; i < digits.size(); ++i)
      table[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  return table;
}();

unsigned digit_value(char c) { return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0'; }

}  // namespace

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint32_t bits = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0 && (at == end || *at++ != '.')) return std::nullopt;
    if (at == end) return std::nullopt;
    std::uint32_t value = digit_value(*at++);
    if (value > 9) return std::nullopt;
    // After a leading zero nothing may follow: 010 could be meant as octal.
    for (int digits = 1; at != end && digit_value(*at) <= 9; ++digits) {
      if (value == 0 || digits == 3) return std::nullopt;
      value = value * 10 + digit_value(*at++);
    }
    if (value > 255) return std::nullopt;
    bits = bits << 8 | value;
  }
  if (at != end) return std::nullopt;
  return Ipv4Address{bits};
}

std::optional<Ipv6Address> parse_ipv6(std::string_view text) {
  constexpr std::size_t kGroups = 8;
  constexpr std::size_t kNone = kGroups + 1;
  std::array<std::uint16_t, kGroups> groups{};
  std::size_t count = 0;
  std::size_t gap = kNone;  ///< How many groups stand ahead of the "::".
  std::size_t at = 0;
  if (text.starts_with("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.size()) {
    if (count == kGroups) return std::nullopt;
    const std::size_t start = at;
    unsigned value = 0;
    for (; at < text.size() && kHexDigits[static_cast<unsigned char>(text[at])] >= 0; ++at) {
      if (at - start == 4) return std::nullopt;
      value = value << 4 | static_cast<unsigned>(kHexDigits[static_cast<unsigned char>(text[at])]);
    }
    if (at == start) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
      const std::optional<Ipv4Address> tail = parse_ipv4(text.substr(start));
      if (!tail || count + 2 > kGroups) return std::nullopt;
      groups[count++] = static_cast<std::uint16_t>(tail->bits >> 16);
      groups[count++] = static_cast<std::uint16_t>(tail->bits);
      break;
    }
    groups[count++] = static_cast<std::uint16_t>(value);
    if (at == text.size()) break;
    if (text[at++] != ':' || at == text.size()) return std::nullopt;
    if (text[at] != ':') continue;
    if (gap != kNone) return std::nullopt;
    gap = count;
    ++at;
  }
  // "::" stands for at least one group.
  if (gap == kNone ? count != kGroups : count == kGroups) return std::nullopt;
  Ipv6Address address;
  const std::size_t zeros = kGroups - count;
  for (std::size_t i = 0; i < kGroups; ++i) {
    const bool is_zero = gap != kNone && i >= gap && i < gap + zeros;
    const std::uint64_t group = is_zero ? 0 : groups[i < gap ? i : i - zeros];
    std::uint64_t& half = i < kGroups / 2 ? address.high : address.low;
    half = half << 16 | group;
  }
  return address;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  if (const auto ipv4 = parse_ipv4(text)) return *ipv4;
  if (const auto ipv6 = parse_ipv6(text)) return *ipv6;
  return std::nullopt;
}

std::string to_string(Ipv4Address address) {
  const std::uint32_t bytes = ::htonl(address.bits);
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &bytes, text.data(), text.size());
  return text.data();
}

std::string to_string(Ipv6Address address) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(address.high >> (56 - 8 * i));
    bytes[i + 8] = static_cast<std::uint8_t>(address.low >> (56 - 8 * i));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string to_string(const IpAddress& address) {
  return std::visit([](auto each) { return to_string(each); }, address);
}

}  // namespace libmaps
