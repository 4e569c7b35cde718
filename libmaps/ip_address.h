/// IP addresses as numbers.
///
///     std::optional<IpAddress> address = parse_ip_address("192.0.2.7");
///     if (!address) return;  // the text is a name, or nothing at all
///     std::string text = to_string(*address);
///
/// All functions are pure and thread-safe. Texts are what inet_pton(3) accepts: no zone, no brackets, and no
/// IPv4 octet that a leading zero makes look octal.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace libmaps {

/// In host order: 192.0.2.1 is 0xC0000201.
struct Ipv4Address {
  std::uint32_t bits = 0;

  static constexpr int kBits = 32;
  friend auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
};

/// In host order: `high` is the network half.
struct Ipv6Address {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static constexpr int kBits = 128;
  friend auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;
};

using IpAddress = std::variant<Ipv4Address, Ipv6Address>;

/// Four decimal octets. Nothing: it is not one.
std::optional<Ipv4Address> parse_ipv4(std::string_view text);

/// Up to eight groups of hexadecimal digits, the last two perhaps as an IPv4 address (RFC 4291, 2.2).
std::optional<Ipv6Address> parse_ipv6(std::string_view text);

/// An address of either family; a colon makes it IPv6.
std::optional<IpAddress> parse_ip_address(std::string_view text);

/// As inet_ntop(3) writes it: IPv6 in its shortest form.
std::string to_string(Ipv4Address address);
std::string to_string(Ipv6Address address);
std::string to_string(const IpAddress& address);

/// An address whose first `length` bits are ones.
constexpr Ipv4Address prefix_mask(Ipv4Address, int length) {
  return {static_cast<std::uint32_t>(0xFFFF'FFFF'0000'0000U >> length)};
}
constexpr Ipv6Address prefix_mask(Ipv6Address, int length) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  // A shift by all bits is undefined.
  const auto ones = [](int count) { return count == 0 ? 0 : kOnes << (64 - count); };
  return length <= 64 ? Ipv6Address{ones(length), 0} : Ipv6Address{kOnes, ones(length - 64)};
}

constexpr Ipv4Address operator&(Ipv4Address a, Ipv4Address b) { return {a.bits & b.bits}; }
constexpr Ipv6Address operator&(Ipv6Address a, Ipv6Address b) { return {a.high & b.high, a.low & b.low}; }
constexpr Ipv4Address operator|(Ipv4Address a, Ipv4Address b) { return {a.bits | b.bits}; }
constexpr Ipv6Address operator|(Ipv6Address a, Ipv6Address b) { return {a.high | b.high, a.low | b.low}; }
constexpr Ipv4Address operator~(Ipv4Address a) { return {~a.bits}; }
constexpr Ipv6Address operator~(Ipv6Address a) { return {~a.high, ~a.low}; }

/// The addresses beside one; they wrap around at the ends.
constexpr Ipv4Address next(Ipv4Address a) { return {a.bits + 1}; }
constexpr Ipv6Address next(Ipv6Address a) { return {a.high + (a.low + 1 == 0 ? 1 : 0), a.low + 1}; }
constexpr Ipv4Address previous(Ipv4Address a) { return {a.bits - 1}; }
constexpr Ipv6Address previous(Ipv6Address a) { return {a.high - (a.low == 0 ? 1 : 0), a.low - 1}; }

/// The addresses whose first `length` bits are those of `address`. REQUIRES: the other bits of `address` are
/// null.
template <class Address>
struct IpNetwork {
  Address address;
  std::uint8_t length = Address::kBits;

  bool contains(Address other) const { return (other & prefix_mask(other, length)) == address; }
  Address last() const { return address | ~prefix_mask(address, length); }
  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;
};

}  // namespace libmaps
