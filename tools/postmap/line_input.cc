#include "tools/postmap/line_input.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "libconf/file.h"

namespace postmap {

using libconf::Result;

Result<void> for_each_line(int fd, const BlockGuard& around,
                           const std::function<Result<void>(std::string_view line)>& visit) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  const auto block = std::make_unique<char[]>(kBlock);
  std::string partial;  // The start of a line whose end is still to come.
  const auto visit_lines = [&](std::string_view text) -> Result<void> {
    for (std::size_t newline = text.find('\n'); newline != std::string_view::npos;
         newline = text.find('\n')) {
      std::string_view line = text.substr(0, newline);
      text.remove_prefix(newline + 1);
      if (!partial.empty()) line = partial.append(line);
      if (Result<void> visited = visit(line.substr(0, line.find('\0'))); !visited) return visited;
      partial.clear();
    }
    partial += text;
    return {};
  };
  const auto visit_block = [&](std::string_view text) { return around([&] { return visit_lines(text); }); };
  for (;;) {
    const ssize_t count = ::read(fd, block.get(), kBlock);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return libconf::io_error("read ", "standard input", errno);
    if (count == 0) return partial.empty() ? Result<void>() : visit_block("\n");
    if (Result<void> done = visit_block({block.get(), static_cast<std::size_t>(count)}); !done) return done;
  }
}

}  // namespace postmap
