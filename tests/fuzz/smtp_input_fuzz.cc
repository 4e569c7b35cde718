// Input of an SMTP server: lines, DATA and BDAT give the same however the bytes are divided. The first line
// of the input says how: each byte is the size of a portion, and of a chunk.
#include "tests/fuzz/property.h"
#include "tests/tools/mta/content_lines.h"

using mta::BareNewline;
using mta::ContentLimits;
using mta::ContentResult;

namespace {

void require_equal(const ContentResult& a, const ContentResult& b) {
  require(a.lines == b.lines, "portions do not matter to lines");
  require(a.rest == b.rest && a.is_complete == b.is_complete, "portions do not matter to the end");
  require(a.summary.size == b.summary.size && a.summary.is_too_big == b.summary.is_too_big &&
              a.summary.has_bare_newline == b.summary.has_bare_newline,
          "portions do not matter to the summary");
}

std::vector<std::string> commands(std::string_view input, BareNewline mode, std::string_view sizes) {
  mta::CommandReader reader(16, mode, true);
  std::vector<std::string> out;
  for (std::size_t i = 0; !input.empty(); ++i) {
    const auto wanted = static_cast<unsigned char>(sizes[i % sizes.size()]);
    std::string_view portion = input.substr(0, std::max<std::size_t>(wanted, 1));
    input.remove_prefix(portion.size());
    while (const auto command = reader.read(portion)) {
      require(command->text.find('\0') == std::string_view::npos, "a command has no NUL");
      out.push_back((command->has_bare_newline ? "!" : "") + std::string(command->text));
    }
    require(portion.empty(), "input is taken");
  }
  return out;
}

std::vector<std::string> divide(std::string_view input, std::string_view sizes) {
  std::vector<std::string> chunks;
  for (std::size_t i = 0; !input.empty(); ++i) {
    const auto wanted = static_cast<unsigned char>(sizes[i % sizes.size()]);
    const std::string_view chunk = input.substr(0, std::max<std::size_t>(wanted, 1));
    chunks.emplace_back(chunk);
    input.remove_prefix(chunk.size());
  }
  if (chunks.empty()) chunks.emplace_back();
  return chunks;
}

// CVE-2023-51764: what ends the message is <CR><LF>.<CR><LF>, and the first of these.
void check_end(std::string_view input, const ContentResult& result) {
  const std::string whole = "\r\n" + std::string(input);
  const std::size_t end = whole.find("\r\n.\r\n");
  require(result.is_complete == (end != std::string::npos), "only <CR><LF>.<CR><LF> ends a message");
  if (result.is_complete) require(result.rest == whole.substr(end + 5), "the first one does");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = as_text(data, size);
  std::string_view sizes = take_first_line(input);
  if (sizes.empty()) sizes = "\1";
  constexpr std::string_view kWhole = "\xff";
  for (const BareNewline mode : {BareNewline::kAllow, BareNewline::kNormalize, BareNewline::kReject}) {
    for (const std::uint64_t size_limit : {0, 40}) {
      const ContentLimits limits{
          .line_length_limit = 16, .message_size_limit = size_limit, .bare_newline = mode};
      const ContentResult result = read_data(input, limits, sizes);
      require_equal(result, read_data(input, limits, kWhole));
      if (mode != BareNewline::kAllow) check_end(input, result);
      const std::vector<std::string> chunks = divide(input, sizes);
      require_equal(read_chunks(chunks, limits, sizes), read_chunks({std::string(input)}, limits, kWhole));
    }
    require(commands(input, mode, sizes) == commands(input, mode, kWhole),
            "portions do not matter to commands");
  }
  return 0;
}
