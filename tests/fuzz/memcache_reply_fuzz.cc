// What a memcached server may send: lines, and the values in a reply to `get`.
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

  const libmaps::MemcacheScan item = libmaps::scan_memcache_item(text, kLimits);
  if (item.state == State::kIncomplete)
    require(size < kLimits.line_size + kLimits.data_size + 8, "waiting for more has an end");
  if (item.state == State::kValue || item.state == State::kEnd) {
    require(item.length <= size, "what is read was there");
    for (std::size_t cut = 0; cut < item.length; ++cut)
      require(libmaps::scan_memcache_item(text.substr(0, cut), kLimits).state == State::kIncomplete,
              "an item is complete with its last byte");
  }
  if (item.state == State::kValue) {
    require(item.text.size() <= kLimits.data_size, "the limit holds");
    require(line.text.find(item.key) != std::string_view::npos, "the key is in the first line");
  }
  return 0;
}
