// What a memcached server may send: lines, and the reply to `get`.
#include "libmaps/memcache_protocol.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using State = libmaps::MemcacheScan::State;
  constexpr libmaps::MemcacheReplyLimits kLimits{.line_size = 100, .data_size = 1000};
  const std::string_view text = as_text(data, size);

  const libmaps::MemcacheScan line = libmaps::scan_memcache_line(text, kLimits.line_size);
  if (line.state == State::kIncomplete) require(size <= kLimits.line_size, "waiting for a line has an end");
  if (line.state == State::kLine) {
    require(line.text.size() < kLimits.line_size, "a line is within the limit");
    require(line.length <= size && text[line.length - 1] == '\n', "a line ends with its newline");
  }

  const libmaps::MemcacheScan reply = libmaps::scan_memcache_value(text, "k", kLimits);
  if (reply.state == State::kIncomplete)
    require(size < 2 * kLimits.line_size + kLimits.data_size + 8, "waiting for more has an end");
  if (reply.state == State::kValue || reply.state == State::kMiss) {
    require(reply.length <= size, "what is read was there");
    for (std::size_t cut = 0; cut < reply.length; ++cut)
      require(libmaps::scan_memcache_value(text.substr(0, cut), "k", kLimits).state == State::kIncomplete,
              "a reply is complete with its last byte");
  }
  if (reply.state == State::kValue) {
    require(reply.text.size() <= kLimits.data_size, "the limit holds");
    require(text.find("VALUE") == 0 && text.find(" k ") < line.length, "a value is of the key");
  }
  return 0;
}
