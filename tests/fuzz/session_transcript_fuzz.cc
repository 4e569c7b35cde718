// What clients and servers may say, as a postmaster reads it.
#include <vector>

#include "libconf/text.h"
#include "tests/fuzz/property.h"
#include "tools/mta/delivery/folded_text.h"
#include "tools/mta/smtp/session_transcript.h"

namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (const auto word = libconf::next_word(text, " ")) words.emplace_back(*word);
  return words;
}

void check_folding(std::string_view text) {
  constexpr mta::Folding kFolding{.width = 78, .start = " "};
  constexpr std::string_view kIndent = "     ";
  std::string all;
  bool is_first = true;
  mta::for_each_folded(text, kFolding, [&](std::string_view line) {
    require(line.starts_with(is_first ? " " : kIndent), "lines are indented");
    require(line.size() <= kFolding.width + 1 || words_of(line).size() == 1,
            "only a word is longer than a line");
    is_first = false;
    all += std::string(line) + ' ';
  });
  require(words_of(all) == words_of(text), "all words are there");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = as_text(data, size);
  mta::SessionTranscript transcript(mta::ErrorClass::kProtocol);
  std::vector<std::string> said;
  bool is_in = true;
  while (!rest.empty()) {
    const std::string line(take_first_line(rest));
    if (is_in) {
      transcript.received(line);
      said.push_back(line);
    } else {
      transcript.sent("250 " + line + "\r\n");
      said.push_back("250 " + line);
    }
    check_folding(libconf::printable_utf8(line));
    is_in = !is_in;
  }
  if (transcript.is_cut()) return 0;
  std::size_t number = 0;
  transcript.for_each_line([&](mta::SessionTranscript::Direction direction, std::string_view line) {
    const bool is_client = number % 2 == 0;
    require((direction == mta::SessionTranscript::Direction::kIn) == is_client, "each side says its lines");
    require(number < said.size() && line == said[number], "lines are as they were said");
    ++number;
  });
  require(number == said.size(), "no line is missing");
  return 0;
}
