// Lines of a message, as they are sent after DATA; a server undoes it.
#include <algorithm>
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/delivery/content_encoder.h"

namespace {

/// In pieces of `size`.
std::string encode(std::string_view bytes, std::size_t limit, std::size_t size) {
  mta::ContentEncoder encoder(limit);
  std::string out;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    for (; line.size() > size; line.remove_prefix(size)) encoder.add(out, line.substr(0, size), false);
    encoder.add(out, line, true);
  }
  return out;
}

/// As a server reads it; a line that goes on after a break becomes one again.
std::string decode(std::string_view text, std::size_t limit) {
  std::string out;
  bool is_broken = false;
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    require(end != std::string_view::npos, "all lines end");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    require(line != ".", "no line ends the message");
    if (!is_broken && line.starts_with('.')) line.remove_prefix(1);
    require(limit == 0 || line.size() <= limit, "no line is too long");
    out += is_broken ? line.substr(1) : line;
    is_broken = limit > 0 && line.size() == limit && text.starts_with(' ');
    if (!is_broken) out += '\n';
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(as_text(data, size));
  // What would look like a break, or an end of a line, is left out.
  std::erase_if(bytes, [](char c) { return c == '\r' || c == ' '; });
  if (!bytes.empty() && bytes.back() != '\n') bytes += '\n';
  for (const std::size_t limit : {0, 2, 7, 998}) {
    const std::string text = encode(bytes, limit, bytes.size() + 1);
    require(encode(bytes, limit, 1) == text, "pieces make no difference");
    require(decode(text, limit) == bytes, "a server reads what was sent");
  }
  return 0;
}
