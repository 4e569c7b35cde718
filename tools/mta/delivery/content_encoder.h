/// Writes the lines of a message as they go after DATA: with CRLF and doubled dots (RFC 5321, section 4.5.2),
/// and long ones broken (smtp_line_length_limit of postconf(5)).
///
///     ContentEncoder encoder(998);
///     encoder.add(out, ".hello", true);   // "..hello\r\n"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mta {

/// Not thread-safe. One encoder is for one message.
class ContentEncoder {
 public:
  /// `limit`: of bytes in a line, without the dot that is put in front and CRLF; 0: none.
  explicit ContentEncoder(std::size_t limit) : limit_(limit) {}

  /// Appends a piece of a line to `out`; `ends_line`: the last one.
  void add(std::string& out, std::string_view text, bool ends_line);

  /// Whether a line was broken so far.
  bool has_broken() const { return has_broken_; }

 private:
  std::size_t limit_;
  std::size_t column_ = 0;  ///< Bytes in the line so far, with the blank of one that was broken.
  bool is_at_start_ = true;
  bool has_broken_ = false;
};

}  // namespace mta
