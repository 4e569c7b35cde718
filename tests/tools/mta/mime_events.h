/// What a MimeParser reports, as text: a letter for each event, and what it carries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/content/mime_parser.h"

namespace mta {

/// "P Subject: x" (primary), "M ..." (MIME), "N ..." (nested), "." (end of headers), "B ..." (body).
class EventRecorder final : public MessageSink {
 public:
  void header(HeaderKind kind, std::string_view text) override {
    constexpr std::string_view kLetters = "PMN";
    add(kLetters[static_cast<std::size_t>(kind)], text);
  }
  void end_of_headers() override { events.emplace_back("."); }
  void body_line(std::string_view text) override { add('B', text); }

  std::vector<std::string> events;

 private:
  void add(char letter, std::string_view text) {
    events.push_back({letter, ' '});
    events.back() += text;
  }
};

inline std::vector<std::string> mime_events(std::string_view message, const MimeOptions& options = {}) {
  EventRecorder recorder;
  MimeParser parser(recorder, options);
  parser.feed(message);
  parser.finish();
  return recorder.events;
}

}  // namespace mta
