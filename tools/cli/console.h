/// How the tools talk: text for standard output in large blocks, messages at once.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"

namespace cli {

/// Collects text for a stream; it goes out in blocks, and when asked.
class Output {
 public:
  explicit Output(std::ostream& stream) : stream_(stream) {}

  /// To append to. Call flush_if_large() from time to time.
  std::string& text() { return text_; }

  void flush_if_large() {
    constexpr std::size_t kLarge = std::size_t{1} << 16;
    if (text_.size() >= kLarge) write();
  }

  void flush() {
    write();
    stream_.flush();
  }

  /// False once a write has failed.
  bool is_good() const { return static_cast<bool>(stream_); }

 private:
  void write() {
    stream_.write(text_.data(), static_cast<std::streamsize>(text_.size()));
    text_.clear();
  }

  std::ostream& stream_;
  std::string text_;
};

/// Prints each diagnostic as it comes, as Postfix's tools do: "PROGRAM: warning: TEXT"; Severity::kInfo
/// without the word.
class MessagePrinter : public libconf::DiagnosticSink {
 public:
  MessagePrinter(std::string_view program, std::ostream& err) : program_(program), err_(err) {}

  /// Whether text beyond ASCII is shown as it is (smtputf8_enable) or, at first, as question marks.
  void show_utf8(bool shows_utf8) { shows_utf8_ = shows_utf8; }

  void report(libconf::Diagnostic diagnostic) override;

  /// Prints the error that ends the program. Lines of `message` before the last are complaints of their own.
  void fatal(std::string_view message);

 private:
  std::string shown(std::string_view message) const;

  std::string program_;
  std::ostream& err_;
  bool shows_utf8_ = false;
};

}  // namespace cli
