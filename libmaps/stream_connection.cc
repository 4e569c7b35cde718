#include "libmaps/stream_connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "libconf/service_root.h"
#include "libconf/text.h"
#include "libmaps/lookup_error.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::DiagnosticSink;
using libconf::FileDescriptor;
using libconf::Result;
using Deadline = StreamConnection::Deadline;

/// Waits until the socket is ready for one of `events`. Returns an errno value, 0 when it is ready.
int wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - StreamConnection::Clock::now());
    pollfd request{.fd = fd, .events = events, .revents = 0};
    const int ready =
        ::poll(&request, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30)));
    if (ready > 0) return 0;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

/// Connects a socket of its own to one address. errno tells what failed.
FileDescriptor connect_to(int family, const sockaddr* address, socklen_t size, std::chrono::seconds limit) {
  FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  const Deadline deadline = StreamConnection::Clock::now() + limit;
  if (::connect(fd.get(), address, size) == 0) return fd;
  int reason = errno;
  if (reason == EINPROGRESS || reason == EINTR) {
    int status = wait_for(fd.get(), POLLOUT, deadline);
    socklen_t status_size = sizeof status;
    if (status == 0 && ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &status, &status_size) != 0)
      status = errno;
    if (status == 0) return fd;
    reason = status;
  }
  fd = FileDescriptor();
  errno = reason;
  return {};
}

FileDescriptor connect_local(const Endpoint& endpoint, std::chrono::seconds limit) {
  const std::string path = libconf::RootedPath{.path = endpoint.host, .root = endpoint.root}.on_host();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  path.copy(address.sun_path, path.size());
  return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, limit);
}

FileDescriptor connect_tcp(const Endpoint& endpoint, std::chrono::seconds limit, DiagnosticSink& warnings) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(endpoint.host.empty() ? nullptr : endpoint.host.c_str(),
                                   endpoint.service.c_str(), &hints, &found);
  if (status != 0) {
    warnings.warn("host-not-found",
                  concat("host or service ", endpoint.text, " not found: ", ::gai_strerror(status)));
    errno = EADDRNOTAVAIL;
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    FileDescriptor fd = connect_to(address->ai_family, address->ai_addr, address->ai_addrlen, limit);
    if (!fd) continue;
    // A server that vanished is noticed between lookups.
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return fd;
  }
  return {};
}

}  // namespace

Result<Endpoint> parse_tcp_endpoint(std::string_view text) {
  Endpoint endpoint{.text = std::string(text)};
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos || !rest.substr(end + 1).starts_with(':'))
      return configuration_error(concat(text, ": valid hostname or network address required"));
    endpoint.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 2);
  } else if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    endpoint.host = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  if (!text.starts_with('[') && endpoint.host.find(':') != std::string::npos)
    return configuration_error(concat(text, ": valid hostname or network address required"));
  if (rest.empty()) return configuration_error(concat(text, ": missing service name or port"));
  if (rest[0] >= '0' && rest[0] <= '9' && !libconf::is_all_digits(rest))
    return configuration_error(concat(rest, ": garbage after numerical service"));
  endpoint.service = rest;
  return endpoint;
}

Result<Endpoint> parse_endpoint(std::string_view text, const libconf::Settings& settings) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size())
    return configuration_error(concat("need service transport:endpoint instead of \"", text, "\""));
  const std::string_view transport = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (transport == "inet") return parse_tcp_endpoint(rest);
  if (transport == "unix") {
    const Result<libconf::ServiceRoot> root = libconf::ServiceRoot::of(settings);
    if (!root) return root.error();
    return Endpoint{.is_local = true,
                    .host = std::string(rest),
                    .service = {},
                    .text = std::string(rest),
                    .root = root->directory()};
  }
  return configuration_error(concat("invalid transport name: ", transport, " in service: ", text));
}

Result<StreamConnection> StreamConnection::connect(const Endpoint& endpoint, std::chrono::seconds limit,
                                                   DiagnosticSink& warnings) {
  FileDescriptor fd =
      endpoint.is_local ? connect_local(endpoint, limit) : connect_tcp(endpoint, limit, warnings);
  if (!fd) return lookup_error(errno);
  return StreamConnection(std::move(fd));
}

// The waits come first: a send or recv that would block leaves an errno that a caller might report.
Result<void> StreamConnection::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (const int reason = wait_for(fd_.get(), POLLOUT, deadline); reason != 0) return lookup_error(reason);
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
    else if (errno != EAGAIN && errno != EINTR)
      return lookup_error(errno);
  }
  return {};
}

Result<std::size_t> StreamConnection::read_some(std::string& buffer, std::size_t most, Deadline deadline) {
  char block[16384];
  for (;;) {
    if (const int reason = wait_for(fd_.get(), POLLIN, deadline); reason != 0) return lookup_error(reason);
    const ssize_t count = ::recv(fd_.get(), block, std::min(most, sizeof block), 0);
    if (count >= 0) {
      buffer.append(block, static_cast<std::size_t>(count));
      return static_cast<std::size_t>(count);
    }
    if (errno != EAGAIN && errno != EINTR) return lookup_error(errno);
  }
}

}  // namespace libmaps
