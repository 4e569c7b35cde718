/// What the readers of content make of bytes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/smtp/content_reader.h"

namespace mta {

/// Keeps pieces as "N:text", or "L:text" where the line goes on.
class LineRecorder final : public ContentSink {
 public:
  void line(std::string_view text, bool is_continued) override {
    lines.push_back((is_continued ? "L:" : "N:") + std::string(text));
  }
  std::vector<std::string> lines;
};

/// What came of content, and what was left behind its end.
struct ContentResult {
  std::vector<std::string> lines;
  std::string rest;
  bool is_complete = false;
  ContentSummary summary;
};

/// Gives `input` to a DataReader in portions whose sizes are the bytes of `sizes`, in turn.
inline ContentResult read_data(std::string_view input, const ContentLimits& limits, std::string_view sizes) {
  LineRecorder recorder;
  DataReader reader(limits, recorder);
  ContentResult result;
  for (std::size_t i = 0; !input.empty() && !result.is_complete; ++i) {
    const auto wanted = static_cast<unsigned char>(sizes[i % sizes.size()]);
    std::string_view portion = input.substr(0, std::max<std::size_t>(wanted, 1));
    const std::size_t size = portion.size();
    result.is_complete = reader.read(portion);
    input.remove_prefix(size - portion.size());
  }
  result.lines = recorder.lines;
  result.rest = input;
  result.summary = reader.summary();
  return result;
}

/// Gives `chunks` to a ChunkReader, each in portions as above.
inline ContentResult read_chunks(const std::vector<std::string>& chunks, const ContentLimits& limits,
                                 std::string_view sizes) {
  LineRecorder recorder;
  ChunkReader reader(limits, recorder);
  ContentResult result;
  std::size_t turn = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    reader.start(chunks[i].size(), i + 1 == chunks.size());
    std::string_view chunk = chunks[i];
    do {
      const auto wanted = static_cast<unsigned char>(sizes[turn++ % sizes.size()]);
      std::string_view portion = chunk.substr(0, std::max<std::size_t>(wanted, 1));
      chunk.remove_prefix(portion.size());
      result.is_complete = reader.read(portion);
    } while (!chunk.empty());
  }
  result.lines = recorder.lines;
  result.summary = reader.summary();
  return result;
}

}  // namespace mta
