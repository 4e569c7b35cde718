// MIME: a message gives the same events however it is divided, and no line is lost. The first line of the
// input says how it is divided: each byte is the size of a chunk.
#include <algorithm>
#include <string>

#include "tests/fuzz/property.h"
#include "tests/tools/mta/mime_events.h"

using mta::EventRecorder;
using mta::MimeOptions;
using mta::MimeParser;

namespace {

/// Small enough that short inputs meet them.
constexpr MimeOptions kTight{
    .header_size_limit = 64, .boundary_length_limit = 4, .nesting_limit = 1, .line_length_limit = 32};

void check_chunks(std::string_view sizes, std::string_view message, const MimeOptions& options) {
  EventRecorder recorder;
  MimeParser parser(recorder, options);
  std::string_view rest = message;
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const std::size_t wanted = sizes.empty() ? 1 : static_cast<unsigned char>(sizes[i % sizes.size()]);
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, rest.size());
    parser.feed(rest.substr(0, count));
    rest.remove_prefix(count);
  }
  parser.finish();
  require(recorder.events == mta::mime_events(message, options), "chunks do not matter");
}

/// Blanks before a colon, what follows a NUL in a header, and an empty line that was missing differ.
void check_nothing_lost(std::string_view message) {
  if (message.find('\0') != std::string_view::npos) return;
  std::string expected(message);
  if (!expected.empty() && expected.back() != '\n') expected += '\n';
  std::string seen;
  bool is_supplied = false;
  const auto events = mta::mime_events(message, {.header_size_limit = MimeOptions::kUnlimited});
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i] == ".") {
      // The line after the message's own headers is theirs, or was put in.
      const std::string_view rest = std::string_view(expected).substr(std::min(seen.size(), expected.size()));
      is_supplied = i + 1 < events.size() && !rest.starts_with('\n');
      if (is_supplied) ++i;
    } else {
      seen += events[i].substr(2) + '\n';
    }
  }
  const bool has_blank_names =
      expected.find(" :") != std::string::npos || expected.find("\t:") != std::string::npos;
  if (!has_blank_names) require(seen == expected, "no line is lost");
}

int digit_of(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

/// Quoted-printable is short lines of printable ASCII, and reads as what it was made of.
void check_conversion(std::string_view text) {
  const std::string message = "Content-Transfer-Encoding: 8bit\n\n" + std::string(text);
  std::string expected(text);
  if (!expected.empty() && expected.back() != '\n') expected += '\n';
  std::string decoded;
  const auto events = mta::mime_events(message, {.converts_8bit = true});
  require(events.size() >= 3 && events[2] == "B ", "a header, its end, and an empty line");
  for (std::size_t i = 3; i < events.size(); ++i) {
    const std::string_view line = std::string_view(events[i]).substr(2);
    require(line.size() <= 76, "a line is short");
    require(line.empty() || (line.back() != ' ' && line.back() != '\t'), "no blank gets lost");
    for (std::size_t at = 0; at < line.size(); ++at) {
      require((line[at] >= ' ' && line[at] <= '~') || line[at] == '\t', "a line is printable");
      if (line[at] != '=') {
        decoded += line[at];
      } else if (at + 1 < line.size()) {
        decoded += static_cast<char>(digit_of(line[at + 1]) * 16 + digit_of(line[at + 2]));
        at += 2;
      }
    }
    if (!line.ends_with('=')) decoded += '\n';
  }
  require(decoded == expected, "what is converted can be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view message = as_text(data, size);
  const std::string_view sizes = take_first_line(message);
  check_chunks(sizes, message, {});
  check_chunks(sizes, message, kTight);
  check_chunks(sizes, message, {.converts_8bit = true});
  check_nothing_lost(message);
  check_conversion(message);
  return 0;
}
