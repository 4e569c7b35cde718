#include "libmaps/network_pattern.h"

#include <cstddef>
#include <optional>
#include <string>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

template <class... Parts>
Error fault(const Parts&... parts) {
  return Error{.kind = ErrorKind::kSyntax, .message = concat(parts...)};
}

/// A number of which only small values matter; large ones all become the same.
int small_number(std::string_view digits) {
  constexpr int kEnough = 1000;
  int value = 0;
  for (const char c : digits)
    if (value < kEnough) value = value * 10 + (c - '0');
  return value;
}

/// `shown` is the whole pattern, without brackets, for messages. The order of the checks is Postfix's.
template <class Address>
Result<NetworkPattern> network_of(std::string_view shown, std::optional<Address> address,
                                  std::string_view mask) {
  if (!libconf::is_all_digits(mask)) return fault("bad mask value in \"", shown, "\"");
  const int length = small_number(mask);
  if (length > Address::kBits) return fault("bad mask length in \"", shown, "\"");
  if (!address) return fault("bad network value in \"", shown, "\"");
  const Address network = *address & prefix_mask(*address, length);
  if (network != *address)
    return fault("non-null host address bits in \"", shown, "\", perhaps you should use \"",
                 to_string(network), "/", std::to_string(length), "\" instead");
  return NetworkPattern(IpNetwork<Address>{network, static_cast<std::uint8_t>(length)});
}

/// A network where there is a mask, else an address.
Result<NetworkPattern> parse(std::string_view shown, std::string_view address,
                             std::optional<std::string_view> mask) {
  if (mask) {
    if (address.find(':') != std::string_view::npos) return network_of(shown, parse_ipv6(address), *mask);
    return network_of(shown, parse_ipv4(address), *mask);
  }
  if (const auto ipv4 = parse_ipv4(address)) return NetworkPattern(IpNetwork<Ipv4Address>{*ipv4});
  if (const auto ipv6 = parse_ipv6(address)) return NetworkPattern(IpNetwork<Ipv6Address>{*ipv6});
  return fault("bad address pattern: \"", shown, "\"");
}

Result<NetworkPattern> parse_plain(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return parse(text, text, std::nullopt);
  return parse(text, text.substr(0, slash), text.substr(slash + 1));
}

}  // namespace

Result<NetworkPattern> parse_network_pattern(std::string_view text) {
  if (!text.starts_with('[')) return parse_plain(text);
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) return fault("missing ']' character after \"", text, "\"");
  const std::string_view inner = text.substr(1, close - 1);
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return parse_plain(inner);
  if (rest[0] != '/') return fault("garbage after \"", text.substr(0, close + 1), "\"");
  return parse(concat(inner, rest), inner, rest.substr(1));
}

}  // namespace libmaps
