#include "tools/mta/smtp/connection_ends.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <asio/ip/tcp.hpp>

namespace mta {
namespace {

struct AddressAndPort {
  std::string address;
  std::string port;
};

std::optional<AddressAndPort> numbers_of(const asio::generic::stream_protocol::endpoint& endpoint) {
  std::array<char, NI_MAXHOST> address{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(endpoint.data(), static_cast<socklen_t>(endpoint.size()), address.data(), address.size(),
                    port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return {};
  return AddressAndPort{address.data(), port.data()};
}

}  // namespace

std::optional<ConnectionEnds> ends_of(StreamSocket& socket) {
  asio::error_code failure;
  const auto server = socket.local_endpoint(failure);
  if (failure) return {};
  if (server.protocol().family() == AF_UNIX)
    return ConnectionEnds{.client_address = "127.0.0.1",
                          .client_port = "0",
                          .server_address = "127.0.0.1",
                          .server_port = "0",
                          .is_local = true};
  const auto client = socket.remote_endpoint(failure);
  if (failure) return {};
  socket.set_option(asio::ip::tcp::no_delay(true), failure);
  const std::optional<AddressAndPort> theirs = numbers_of(client);
  const std::optional<AddressAndPort> ours = numbers_of(server);
  if (!theirs || !ours) return {};
  return ConnectionEnds{.client_address = theirs->address,
                        .client_port = theirs->port,
                        .server_address = ours->address,
                        .server_port = ours->port};
}

}  // namespace mta
