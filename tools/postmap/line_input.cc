#include "tools/postmap/line_input.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "libconf/file.h"

namespace postmap {

using libconf::Result;

Result<void> for_each_block_of_lines(
    int fd, const std::function<Result<void>(std::span<const std::string_view> lines)>& visit) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  const auto block = std::make_unique<char[]>(kBlock);
  std::string first;  // A line that began in an earlier block.
  std::vector<std::string_view> lines;
  const auto visit_block = [&](std::string_view text) -> Result<void> {
    lines.clear();
    for (std::size_t newline = text.find('\n'); newline != std::string_view::npos;
         newline = text.find('\n')) {
      std::string_view line = text.substr(0, newline);
      text.remove_prefix(newline + 1);
      if (lines.empty() && !first.empty()) line = first.append(line);
      lines.push_back(line.substr(0, line.find('\0')));
    }
    if (Result<void> visited = visit(lines); !visited) return visited;
    if (!lines.empty()) first.clear();
    first += text;
    return {};
  };
  for (;;) {
    const ssize_t count = ::read(fd, block.get(), kBlock);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return libconf::io_error("read ", "standard input", errno);
    if (count == 0) return first.empty() ? Result<void>() : visit_block("\n");
    if (Result<void> done = visit_block({block.get(), static_cast<std::size_t>(count)}); !done) return done;
  }
}

}  // namespace postmap
