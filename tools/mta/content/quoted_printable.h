/// Writes a line of text as quoted-printable (RFC 2045, section 6.7), divided where Postfix divides it.
///
///     QuotedPrintableLine line;
///     for (char c : "gr\xC3\xBC = ") line.add(c);   // divide() first, while is_full()
///     line.end();
///     line.text();   // "gr=C3=BC =3D=20"
#pragma once

#include <string>
#include <string_view>

namespace mta {

/// One line that is written, and then the next one. Not thread-safe.
class QuotedPrintableLine {
 public:
  /// The next character belongs to another line: divide(), take text(), and clear().
  bool is_full() const;

  /// REQUIRES: not is_full(), and `c` is no end of a line.
  void add(char c);

  /// Ends the line where the text goes on.
  void divide() { line_ += '='; }

  /// Ends the line with the text's. A blank there would get lost on the way.
  void end();

  std::string_view text() const { return line_; }
  void clear() { line_.clear(); }

 private:
  void encode(char c);

  std::string line_;
};

}  // namespace mta
