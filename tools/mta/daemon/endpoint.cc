#include "tools/mta/daemon/endpoint.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "libconf/text.h"
#include "tools/mta/daemon/local_socket.h"

namespace mta {
namespace {

using libconf::concat;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

/// A host, null for the wildcard, and a port or the name of one.
Result<AddressList> look_up(const char* host, const std::string& port, int family) {
  const addrinfo hints{.ai_flags = AI_PASSIVE, .ai_family = family, .ai_socktype = SOCK_STREAM};
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host, port.c_str(), &hints, &list);
  if (status == 0) return AddressList(list);
  return Error{.kind = status == EAI_AGAIN ? ErrorKind::kTemporary : ErrorKind::kConfiguration,
               .message = concat("host or service ", host == nullptr ? "" : host, ":", port,
                                 " not found: ", ::gai_strerror(status))};
}

struct HostAndPort {
  std::string host;  ///< Empty: none was given.
  std::string port;
};

std::optional<HostAndPort> split(std::string_view name) {
  HostAndPort parts;
  if (name.starts_with('[')) {
    const std::size_t bracket = name.find("]:");
    if (bracket == std::string_view::npos) return {};
    parts = {std::string(name.substr(1, bracket - 1)), std::string(name.substr(bracket + 2))};
    if (parts.host.empty()) return {};
  } else if (const std::size_t colon = name.rfind(':'); colon != std::string_view::npos) {
    parts = {std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
  } else {
    parts.port = name;
  }
  if (parts.port.empty()) return {};
  return parts;
}

/// Whether the kernel does IPv6 here; where it does not, "all" means IPv4.
bool has_ipv6() {
  const libconf::FileDescriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in6 loopback{.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  return socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
}

/// AF_INET, AF_INET6, or AF_UNSPEC for both.
Result<int> protocol_family(const libconf::Settings& settings) {
  const Result<std::vector<std::string>> names = settings.get_list("inet_protocols");
  if (!names) return names.error();
  bool wants_ipv4 = false;
  bool wants_ipv6 = false;
  for (const std::string& name : *names) {
    const bool is_all = libconf::equals_ignoring_case(name, "all");
    const bool is_ipv4 = is_all || libconf::equals_ignoring_case(name, "ipv4");
    const bool is_ipv6 = is_all || libconf::equals_ignoring_case(name, "ipv6");
    if (!is_ipv4 && !is_ipv6)
      return libconf::configuration_error(concat("Unknown protocol name \"", name, "\" in inet_protocols"));
    wants_ipv4 |= is_ipv4;
    wants_ipv6 |= is_ipv6;
  }
  if (!wants_ipv4 && !wants_ipv6)
    return libconf::configuration_error("no network protocols are specified with inet_protocols");
  if (!wants_ipv4) return AF_INET6;
  return wants_ipv6 && has_ipv6() ? AF_UNSPEC : AF_INET;
}

/// The hosts of inet_interfaces; an empty one stands for the wildcard.
Result<std::vector<std::string>> interfaces(const libconf::Settings& settings) {
  Result<std::vector<std::string>> hosts = settings.get_list("inet_interfaces");
  if (!hosts) return hosts;
  if (hosts->empty())
    return libconf::configuration_error("no network interfaces are specified with inet_interfaces");
  for (std::string& host : *hosts) {
    if (libconf::equals_ignoring_case(host, "all")) return std::vector<std::string>{""};
    if (libconf::equals_ignoring_case(host, "loopback-only"))
      return std::vector<std::string>{"127.0.0.1", "::1"};
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  }
  return hosts;
}

bool is_ipv6_text(const std::string& host) { return host.find(':') != std::string::npos; }

Result<libconf::FileDescriptor> listen_by_network(const Endpoint& endpoint) {
  const auto failed = [&](std::string_view step) {
    return Error{
        .kind = ErrorKind::kInputOutput,
        .message = concat(step, " ", endpoint.address, " port ", endpoint.port, ": ", std::strerror(errno))};
  };
  const Result<AddressList> list = look_up(endpoint.address.c_str(), endpoint.port, endpoint.family);
  if (!list) return list.error();
  libconf::FileDescriptor socket(::socket(endpoint.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed("socket");
  constexpr int kOn = 1;
  const bool is_ready = ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn) == 0 &&
                        (endpoint.family != AF_INET6 ||
                         ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kOn, sizeof kOn) == 0);
  if (!is_ready) return failed("setsockopt");
  if (::bind(socket.get(), (*list)->ai_addr, (*list)->ai_addrlen) != 0) return failed("bind");
  if (::listen(socket.get(), SOMAXCONN) != 0) return failed("listen");
  return socket;
}

struct TransportName {
  std::string_view type;
  Transport transport;
};
constexpr TransportName kTransports[] = {
    {"inet", Transport::kInet}, {"unix", Transport::kUnix}, {"unix-dgram", Transport::kUnixDatagram},
    {"fifo", Transport::kFifo}, {"pass", Transport::kPass},
};

}  // namespace

std::optional<Transport> find_transport(std::string_view type) {
  for (const TransportName& each : kTransports)
    if (each.type == type) return each.transport;
  return {};
}

Endpoint local_endpoint(std::string_view name, Transport transport, bool is_private) {
  return {.transport = transport,
          .address = concat(is_private ? "private/" : "public/", name),
          .port = {},
          .family = AF_UNIX};
}

Result<std::vector<Endpoint>> inet_endpoints(std::string_view name, const libconf::Settings& settings) {
  const std::optional<HostAndPort> parts = split(name);
  if (!parts) return libconf::configuration_error(concat("host or service ", name, " not found: no port"));
  const Result<int> family = protocol_family(settings);
  if (!family) return family.error();
  Result<std::vector<std::string>> hosts = std::vector<std::string>{parts->host};
  if (parts->host.empty()) hosts = interfaces(settings);
  if (!hosts) return hosts.error();

  std::vector<Endpoint> endpoints;
  for (const std::string& host : *hosts) {
    // An address of a family that is switched off is passed over, as in a list for hosts of both kinds.
    if (*family == AF_INET && is_ipv6_text(host)) continue;
    const Result<AddressList> list =
        look_up(host.empty() ? nullptr : host.c_str(), parts->port, is_ipv6_text(host) ? AF_INET6 : *family);
    if (!list) return list.error();
    for (const addrinfo* each = list->get(); each != nullptr; each = each->ai_next) {
      char address[NI_MAXHOST];
      char port[NI_MAXSERV];
      if (::getnameinfo(each->ai_addr, each->ai_addrlen, address, sizeof address, port, sizeof port,
                        NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        continue;
      const Endpoint endpoint{
          .transport = Transport::kInet, .address = address, .port = port, .family = each->ai_family};
      if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end())
        endpoints.push_back(endpoint);
    }
  }
  if (endpoints.empty())
    return libconf::configuration_error(concat("host or service ", name, " not found: no address"));
  return endpoints;
}

Result<libconf::FileDescriptor> listen_at(const Endpoint& endpoint, const std::optional<Identity>& owner) {
  switch (endpoint.transport) {
    case Transport::kInet:
      return listen_by_network(endpoint);
    case Transport::kUnixDatagram:
      return make_local_socket(endpoint.address, SOCK_DGRAM, owner);
    case Transport::kFifo:
      return make_named_pipe(endpoint.address, owner);
    default:
      return make_local_socket(endpoint.address, SOCK_STREAM, owner);
  }
}

}  // namespace mta
