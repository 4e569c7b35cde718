/// Which servers a nexthop stands for, and in which order they are tried (smtp(8), transport(5), RFC 5321
/// section 5, RFC 7505).
///
///     Result<ServerDestination> destination = parse_destination("[mx.example.com]:587", options);
///     ServerLookup found = co_await lookup.find(*destination);
///     if (found.fault) co_return defer(*found.fault);
///     for (const MailServer& server : found.servers) ...
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/service_root.h"
#include "libmaps/ip_address.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/smtp_client_options.h"
#include "tools/mta/dns/resolver.h"

namespace mta {

/// A nexthop, taken apart.
struct ServerDestination {
  libconf::RootedPath path = {};  ///< Of a UNIX-domain socket; empty: TCP.
  std::string written_path = {};  ///< The same as the nexthop has it.
  std::string name = {};          ///< A domain, a host name or an address.
  unsigned short port = 0;
  bool is_host = false;  ///< In brackets, or LMTP: no MX is looked for.
};

/// Reads "domain", "domain:port", "[host]", "[host]:port"; of LMTP also "inet:host:port" and "unix:path".
/// Errors: kConfiguration, for what is none of these and for a port without a number.
libconf::Result<ServerDestination> parse_destination(std::string_view nexthop,
                                                     const SmtpClientOptions& options);

/// A server to try.
struct MailServer {
  std::string name = {};     ///< As the log has it.
  std::string address = {};  ///< A number, or the path of a socket as it is written.
  unsigned short port = 0;   ///< 0: a UNIX-domain socket.
  int preference = 0;
  libconf::RootedPath path = {};    ///< Of a UNIX-domain socket.
  bool has_secure_name = false;     ///< DNSSEC says that the nexthop leads there.
  bool is_secure = false;           ///< DNSSEC says that the name leads to the address.
  std::string canonical_name = {};  ///< Where aliases of the name lead, if it is secure.

  /// "mx.example.com[192.0.2.7]"; the second with its port, where there is one.
  std::string host() const;
  std::string relay() const;
};

/// Why mail cannot go on, or why it should not now.
struct DeliveryFault {
  std::string status;  ///< Enhanced; class 4: not now.
  std::string text;
  std::string remote_server = {};  ///< Who said so; empty: nobody.
  std::string diagnostic = {};     ///< What it said.
  bool may_be_tls = false;         ///< The connection failed as TLS does; in the clear it may go better.
  bool is_temporary() const { return status.starts_with('4'); }
};

struct ServerLookup {
  std::vector<MailServer> servers = {};
  std::optional<DeliveryFault> fault = {};  ///< There are no servers.
  bool is_loop = false;                     ///< Because this system is the best of them.
};

/// Not thread-safe. All that it is given must outlive it.
class ServerFinder {
 public:
  /// `own_addresses`: of inet_interfaces and proxy_interfaces; who has one of them, and listens for SMTP, is
  /// this system.
  ServerFinder(const SmtpClientOptions& options, Resolver& resolver,
               std::vector<libmaps::IpAddress> own_addresses, libconf::DiagnosticSink& warnings)
      : options_(options),
        resolver_(resolver),
        own_addresses_(std::move(own_addresses)),
        warnings_(warnings) {}

  asio::awaitable<ServerLookup> find(ServerDestination destination);

 private:
  using Servers = std::vector<MailServer>;
  asio::awaitable<ServerLookup> find_domain(std::string name, unsigned short port);
  asio::awaitable<ServerLookup> find_host(std::string name, unsigned short port, bool has_secure_name);
  asio::awaitable<std::optional<DeliveryFault>> add_host(Servers& servers, std::string name, MailServer like);
  std::optional<DeliveryFault> add_native(Servers& servers, const std::string& name, const MailServer& like);
  asio::awaitable<void> note_validation(bool is_validated);
  void sort(Servers& servers);
  bool is_own(const MailServer& server) const;
  ServerLookup without_own(ServerLookup found, std::string_view name) const;

  const SmtpClientOptions& options_;
  Resolver& resolver_;
  std::vector<libmaps::IpAddress> own_addresses_;
  libconf::DiagnosticSink& warnings_;
  bool knows_validation_ = false;  ///< Whether there is any was found out.
};

}  // namespace mta
