#include "tools/mta/delivery/comsat.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "libconf/handle.h"
#include "libconf/text.h"

namespace mta {
namespace {

constexpr in_port_t kPort = 512;  // "comsat" of services(5), by UDP.

}  // namespace

void tell_comsat(std::string_view user, std::uint64_t offset) {
  // Its end is a null byte.
  const std::string text = libconf::concat(user, "@", std::to_string(offset), std::string_view("\0", 1));
  const libconf::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::sendto(socket.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

}  // namespace mta
