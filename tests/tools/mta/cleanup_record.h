/// What a Cleanup does with a message, as text: a line for each call of its sink.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/tools/mta/header_pieces.h"
#include "tools/mta/content/cleanup.h"

namespace mta {

/// "N text" (end of a line), "L text" (a piece), "log text", "warning text", "bcc a@b", "recipient a@b",
/// "filter t:d", "redirect a@b", "hold", "pass", "8bit", "discard", "reject 550 5.7.1 text".
class CleanupRecorder final : public CleanupSink {
 public:
  /// `line_length_limit` is what header lines are cut at.
  explicit CleanupRecorder(std::size_t line_length_limit) : line_length_limit_(line_length_limit) {}

  void header(std::string_view text) override {
    for_each_header_piece(text, line_length_limit_,
                          [this](std::string_view piece, bool ends_line) { content(piece, ends_line); });
  }
  void content(std::string_view text, bool ends_line) override { add(ends_line ? "N " : "L ", text); }
  void recipient(std::string_view address, RecipientSource source) override {
    add(source == RecipientSource::kBcc ? "bcc " : "recipient ", address);
  }
  void content_filter(std::string_view destination) override { add("filter ", destination); }
  void redirect(std::string_view address) override { add("redirect ", address); }
  void hold() override { add("hold", ""); }
  void pass() override { add("pass", ""); }
  void content_is_8bit() override { add("8bit", ""); }
  void log(libconf::Severity severity, std::string_view line) override {
    add(severity == libconf::Severity::kWarning ? "warning " : "log ", line);
  }
  void discard() override { add("discard", ""); }
  void reject(const Rejection& rejection) override {
    add("reject ", std::to_string(rejection.code) + " " + rejection.status + " " + rejection.text);
  }

  std::vector<std::string> events;

 private:
  std::size_t line_length_limit_;

  void add(std::string_view what, std::string_view text) {
    events.emplace_back(what);
    events.back() += text;
  }
};

}  // namespace mta
