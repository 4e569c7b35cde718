/// The line structure that main.cf and master.cf share (postconf(5), master(5)).
///
/// A line that starts with text begins a logical line; a line that starts with white space continues it.
/// Blank lines and lines whose first visible character is '#' are neither: they do not end a logical line, so
/// that a later indented line still continues it.
///
///     Lines lines("a = 1\n# note\n  2\n");
///     lines.logical()[0].text == "a = 1  2"
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"

namespace libconf {

enum class LineKind : std::uint8_t { kBlank, kComment, kStart, kContinuation };

/// Takes the next physical line off the front of `text`, its '\n' included; `kind` tells what it is.
/// REQUIRES: text is not empty.
std::string_view take_line(std::string_view& text, LineKind& kind);

/// One physical line, its line terminator included. Offsets count bytes from the start of the file.
struct Line {
  std::size_t offset;
  std::size_t length;
  LineKind kind;
};

/// A start line and its continuations. `text` is what the lines say without their newlines, joined;
/// continuation lines keep their leading white space. `first` and `last` are indices of physical lines: the
/// last one is a start or a continuation, never a comment.
struct LogicalLine {
  std::string_view text;
  std::size_t first;
  std::size_t last;
  bool has_nul;    ///< A NUL byte ended the text early, as it does for Postfix.
  bool is_orphan;  ///< Starts with white space: it continues nothing, and is ignored with a warning.
};

/// A place in a file, counted from 1.
struct Position {
  int line = 0;
  int column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

/// Splits `text` (which must outlive the object) into lines. Any bytes are accepted. Immutable, so safe to
/// share.
class Lines {
 public:
  explicit Lines(std::string_view text);
  Lines(const Lines&) = delete;  // Views point into the object.
  Lines& operator=(const Lines&) = delete;

  const std::vector<Line>& physical() const { return physical_; }
  const std::vector<LogicalLine>& logical() const { return logical_; }

  /// The bytes of physical line `index`, with or without its '\n'.
  std::string_view bytes(std::size_t index) const {
    return text_.substr(physical_[index].offset, physical_[index].length);
  }
  std::string_view content(std::size_t index) const;

  /// Where byte `offset` of a logical line's text stands in the file. REQUIRES: offset <= line.text.size().
  Position position(const LogicalLine& line, std::size_t offset) const;

  /// The text of a logical line with the newlines between its physical lines.
  std::string text_with_newlines(const LogicalLine& line) const;

  /// Warns of the logical lines that are ignored, or read in part: orphans, and text after a NUL byte. Lines
  /// from number `end` on are left out; 0: none.
  void report(std::string_view file, int end, DiagnosticSink& sink) const;

 private:
  std::string_view text_;
  std::vector<Line> physical_;
  std::vector<LogicalLine> logical_;
  std::deque<std::string> joined_;  ///< The texts of logical lines that have more than one physical line.
};

/// Ends an edited text: one that differs from `original` gets a newline at its end when that is missing, as
/// since Postfix 3.12; one that does not differ stays as it is.
std::string with_final_newline(std::string text, std::string_view original);

}  // namespace libconf
