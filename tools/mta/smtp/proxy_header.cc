#include "tools/mta/smtp/proxy_header.h"

#include <algorithm>
#include <charconv>

#include "libconf/text.h"

namespace mta {

namespace {

using libmaps::IpAddress;
using libmaps::Ipv4Address;
using libmaps::Ipv6Address;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kVersion1 = "PROXY";
constexpr std::size_t kFixedSize = 16;  ///< Of version 2: signature, version, family, length.

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value = value << 8 | byte_at(bytes, i);
  return value;
}

/// Takes a number of `size` bytes off the front.
std::uint64_t take(std::string_view& bytes, std::size_t size) {
  const std::uint64_t value = big_endian(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return value;
}

IpAddress take_ipv4(std::string_view& bytes) {
  return Ipv4Address{static_cast<std::uint32_t>(take(bytes, 4))};
}

IpAddress take_ipv6(std::string_view& bytes) {
  const std::uint64_t high = take(bytes, 8);
  return Ipv6Address{high, take(bytes, 8)};
}

std::uint16_t take_port(std::string_view& bytes) { return static_cast<std::uint16_t>(take(bytes, 2)); }

ProxyEndpoints take_endpoints(std::string_view bytes, IpAddress (*take_address)(std::string_view&)) {
  ProxyEndpoints endpoints;
  endpoints.client = take_address(bytes);
  endpoints.server = take_address(bytes);
  endpoints.client_port = take_port(bytes);
  endpoints.server_port = take_port(bytes);
  return endpoints;
}

std::optional<IpAddress> parse_ipv4(std::string_view text) { return libmaps::parse_ipv4(text); }
std::optional<IpAddress> parse_ipv6(std::string_view text) { return libmaps::parse_ipv6(text); }

/// A decimal number without leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  if (!libconf::is_all_digits(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  if (std::from_chars(text.data(), text.data() + text.size(), port).ec != std::errc()) return std::nullopt;
  return port;
}

}  // namespace

// Whether the bytes so far can be the start of a header.
bool ProxyHeaderReader::is_recognized() const {
  const std::string_view header = header_;
  return header.starts_with(kSignature) || kSignature.starts_with(header) || header.starts_with(kVersion1) ||
         kVersion1.starts_with(header);
}

// As soon as it is known.
std::optional<std::size_t> ProxyHeaderReader::length() const {
  const std::string_view header = header_;
  if (kSignature.starts_with(header)) return std::nullopt;
  if (header.starts_with(kSignature)) {
    if (header.size() < kFixedSize) return std::nullopt;
    return kFixedSize + big_endian(header.substr(kFixedSize - 2, 2));
  }
  if (!header.ends_with('\n')) return std::nullopt;
  return header.size();
}

ProxyHeaderReader::State ProxyHeaderReader::read(std::string_view& input) {
  while (!input.empty()) {
    header_ += input.front();
    input.remove_prefix(1);
    const std::optional<std::size_t> wanted = length();
    if (!is_recognized() || (!wanted && header_.size() >= kMaxProxyHeader)) {
      return fail(header_.starts_with(kVersion1) ? "missing protocol header terminator"
                                                 : "unrecognized protocol header");
    }
    if (wanted && *wanted > kMaxProxyHeader) return fail("short version 2 protocol header");
    if (wanted == header_.size()) return finish();
  }
  return State::kIncomplete;
}

ProxyHeaderReader::State ProxyHeaderReader::end() {
  if (header_.starts_with(kVersion1)) return fail("missing protocol header terminator");
  return fail(header_.starts_with(kSignature) ? "short version 2 protocol header" : "short protocol header");
}

ProxyHeaderReader::State ProxyHeaderReader::finish() {
  if (header_.starts_with(kSignature)) return read_version_2();
  std::string_view line = header_;
  line.remove_suffix(1);
  return read_version_1(line.substr(0, line.find('\r')));
}

ProxyHeaderReader::State ProxyHeaderReader::fail(std::string_view error) {
  error_ = error;
  return State::kMalformed;
}

ProxyHeaderReader::State ProxyHeaderReader::read_version_1(std::string_view line) {
  const auto word = [&line] { return libconf::next_word(line, " ").value_or(std::string_view()); };
  if (!line.starts_with(kVersion1) || word() != kVersion1) return fail("unrecognized protocol header");
  const std::string_view protocol = word();
  if (libconf::equals_ignoring_case(protocol, "UNKNOWN")) return State::kComplete;
  const bool is_ipv4 = families_.has_ipv4 && libconf::equals_ignoring_case(protocol, "TCP4");
  const bool is_ipv6 = families_.has_ipv6 && libconf::equals_ignoring_case(protocol, "TCP6");
  if (!is_ipv4 && !is_ipv6) return fail("bad or missing protocol type");
  const auto parse_address = is_ipv4 ? parse_ipv4 : parse_ipv6;
  const std::optional<IpAddress> client = parse_address(word());
  if (!client) return fail("bad or missing client address");
  const std::optional<IpAddress> server = parse_address(word());
  if (!server) return fail("bad or missing server address");
  const std::optional<std::uint16_t> client_port = parse_port(word());
  if (!client_port) return fail("bad or missing client port");
  const std::optional<std::uint16_t> server_port = parse_port(word());
  if (!server_port) return fail("bad or missing server port");
  endpoints_ = ProxyEndpoints{*client, *client_port, *server, *server_port};
  return State::kComplete;
}

ProxyHeaderReader::State ProxyHeaderReader::read_version_2() {
  struct Family {
    std::uint8_t code;  ///< Address family and transport protocol.
    bool is_enabled;
    std::size_t size;  ///< Of two addresses and two ports.
    IpAddress (*take_address)(std::string_view&);
  };
  const Family kFamilies[] = {
      {0x11, families_.has_ipv4, 12, take_ipv4},
      {0x21, families_.has_ipv6, 36, take_ipv6},
  };
  constexpr std::uint8_t kLocal = 0;
  constexpr std::uint8_t kProxy = 1;
  const std::uint8_t version_and_command = byte_at(header_, 12);
  if (version_and_command >> 4 != 2) return fail("unrecognized protocol version");
  const std::uint8_t command = version_and_command & 0xF;
  if (command == kLocal) return State::kComplete;
  if (command != kProxy) return fail("bad command in proxy header");
  const std::string_view addresses = std::string_view(header_).substr(kFixedSize);
  for (const Family& family : kFamilies) {
    if (byte_at(header_, 13) != family.code || !family.is_enabled) continue;
    if (addresses.size() < family.size) return fail("short address field");
    endpoints_ = take_endpoints(addresses, family.take_address);
    return State::kComplete;
  }
  return fail("unsupported network protocol");
}

}  // namespace mta
