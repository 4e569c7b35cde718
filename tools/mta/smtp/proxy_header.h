/// The header of HAProxy's PROXY protocol, versions 1 and 2 (smtpd_upstream_proxy_protocol = haproxy), by
/// which a proxy in front of the server tells who its client is. The reference is HAProxy's
/// doc/proxy-protocol.txt.
///
///     mta::ProxyHeaderReader reader(families);
///     std::string_view input = received;
///     switch (reader.read(input)) { ... }  // what is left of `input` comes from the client
///
/// It takes no byte beyond the header, and never more than kMaxProxyHeader. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libmaps/ip_address.h"

namespace mta {

/// Postfix takes no longer header: room for the addresses and some 500 bytes of what else version 2 can say.
inline constexpr std::size_t kMaxProxyHeader = 536;

struct ProxyEndpoints {
  libmaps::IpAddress client;
  std::uint16_t client_port = 0;
  libmaps::IpAddress server;
  std::uint16_t server_port = 0;
};

class ProxyHeaderReader {
 public:
  enum class State {
    kIncomplete,  ///< More bytes must come.
    kComplete,
    kMalformed,  ///< error() says how; the connection must end.
  };

  struct Families {
    bool has_ipv4 = true;
    bool has_ipv6 = true;
  };

  /// Addresses of other families are an error.
  explicit ProxyHeaderReader(Families families) : families_(families) {}

  /// Takes bytes of the header off the front of `input`. Call it no more once it is complete or malformed.
  State read(std::string_view& input);

  /// Nothing more comes to an incomplete header: kMalformed.
  State end();

  /// What was taken.
  std::string_view header() const { return header_; }

  /// Of a complete header. Nothing: the proxy speaks for itself, or does not know (LOCAL, UNKNOWN); the
  /// addresses of the connection count.
  const std::optional<ProxyEndpoints>& endpoints() const { return endpoints_; }

  /// Of a malformed header, in Postfix's words: "bad or missing client address".
  std::string_view error() const { return error_; }

 private:
  bool is_recognized() const;
  std::optional<std::size_t> length() const;
  State finish();
  State fail(std::string_view error);
  State read_version_1(std::string_view line);
  State read_version_2();

  Families families_;
  std::string header_;
  std::optional<ProxyEndpoints> endpoints_;
  std::string_view error_;
};

}  // namespace mta
