/// How the tools talk: text for standard output in large blocks, messages at once.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"

namespace cli {

/// Collects text for a stream; it goes out when asked.
class Output {
 public:
  explicit Output(std::ostream& stream) : stream_(stream) {}

  /// To append to.
  std::string& text() { return text_; }

  void flush() {
    stream_.write(text_.data(), static_cast<std::streamsize>(text_.size()));
    stream_.flush();
    text_.clear();
  }

  /// False once a write has failed.
  bool is_good() const { return static_cast<bool>(stream_); }

 private:
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
