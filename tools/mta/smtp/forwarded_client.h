/// What a trusted client says of the client that it has a message from (XFORWARD_README).
///
///     ForwardedClient forwarded;
///     forwarded.take(request.attributes);
///     if (forwarded.has_client()) log(forwarded.origin(false));
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/mta/smtp/request.h"

namespace mta {

/// Of one message. Not thread-safe.
class ForwardedClient {
 public:
  /// Takes what one XFORWARD command says; what it does not name stays.
  void take(const std::vector<ClientAttribute>& attributes);

  /// Whether anything was said at all.
  bool was_told() const { return has_client_ || ident_ || is_local_; }

  /// Whether anything was said of the client itself: then nothing is taken from the connection.
  bool has_client() const { return has_client_; }

  const std::string& name() const { return name_; }        ///< "unknown" if it is not known; so below.
  const std::string& address() const { return address_; }  ///< "2001:db8::5"
  const std::string& port() const { return port_; }
  const std::string& protocol() const { return protocol_; }
  const std::optional<std::string>& helo() const { return helo_; }

  /// IDENT: the message's name there, a queue ID. Nothing: not said.
  const std::optional<std::string>& ident() const { return ident_; }

  /// SOURCE: whether the message is of that site. Nothing: not said.
  std::optional<bool> is_local() const { return is_local_; }

  /// "name[address]", with `:port` where that is wanted; the name alone where there is no address.
  std::string origin(bool with_port) const;

 private:
  std::string name_ = "unknown";
  std::string address_ = "unknown";
  std::string port_ = "unknown";
  std::string protocol_ = "unknown";
  std::optional<std::string> helo_;
  std::optional<std::string> ident_;
  std::optional<bool> is_local_;
  bool has_client_ = false;
};

}  // namespace mta
