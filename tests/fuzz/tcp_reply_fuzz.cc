// What a tcp_table server may send, and the encoding of what is sent to it.
#include "libmaps/tcp_protocol.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = as_text(data, size);
  const libmaps::TcpReply reply = libmaps::parse_tcp_reply(line);
  require(reply.value.size() <= size, "decoding makes nothing longer");
  const std::string encoded = libmaps::tcp_encode(line);
  require(encoded.find_first_of(" \t\r\n") == std::string::npos, "a request is one line of two words");
  require(libmaps::tcp_decode(encoded) == line, "what was encoded is read back");
  return 0;
}
