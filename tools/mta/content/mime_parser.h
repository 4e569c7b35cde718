/// Divides an Internet message (RFC 5322, RFC 2045 to 2049) into what header_checks(5) and body_checks(5)
/// look at: logical headers and body lines, in the order of the message.
///
///     struct Printer : mta::MessageSink { ... } printer;
///     mta::MimeParser parser(printer);
///     while (read(block)) parser.feed(block);
///     parser.finish();
///
/// It sees a message as Postfix does, where the standards leave room or are broken: see section_end() and
/// delimiter() below. Memory is bounded by the limits in MimeOptions; a line costs no allocation.
#pragma once

#include <bitset>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/content/content_type.h"
#include "tools/mta/content/mime_fault.h"
#include "tools/mta/content/quoted_printable.h"

namespace mta {

/// Which parameter looks at a header (header_checks(5), FILTERS WHILE RECEIVING MAIL).
enum class HeaderKind {
  kPrimary,  ///< header_checks: a header of the message itself.
  kMime,     ///< mime_header_checks: MIME-Version or a Content- header of RFC 2045 and RFC 2183 anywhere, and
             ///< every header of a part.
  kNested,   ///< nested_header_checks: a header of an attached message.
};

/// What a parser calls. Views are valid during the call only.
class MessageSink {
 public:
  virtual ~MessageSink() = default;

  /// A logical header: several lines with the newlines between them, as they came, without the last newline.
  /// White space before the colon is gone, and what follows a NUL in a line.
  virtual void header(HeaderKind kind, std::string_view text) = 0;

  /// The message's own headers are complete. Called once for every message, even for an empty one.
  virtual void end_of_headers() = 0;

  /// A body begins: after the headers of the message, of a part, of an attached message, and with the last
  /// delimiter of a multipart (body_checks_size_limit counts from here).
  virtual void start_of_body() {}

  /// Any other line, without its newline: text, the empty line after headers, boundaries.
  virtual void body_line(std::string_view text) = 0;

  /// A piece of such a line, which goes on in the next call.
  virtual void body_piece(std::string_view text) { body_line(text); }

  /// Something is wrong that MimeOptions::strictness asks for; told once for each kind, before the header or
  /// the line that has it. `text` is that header or line, or the name of the encoding.
  virtual void fault(MimeFault fault, std::string_view text) {
    static_cast<void>(fault);
    static_cast<void>(text);
  }
};

/// The parameters of main.cf that bear on parsing, with Postfix's defaults. All sizes are in bytes.
struct MimeOptions {
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  bool is_mime_enabled = true;               ///< Off: all that follows the first headers is body.
  std::size_t header_size_limit = 102400;    ///< A header that has reached it takes no more lines.
  std::size_t boundary_length_limit = 2048;  ///< The rest of a longer boundary is not compared.
  std::size_t nesting_limit = 100;           ///< Of multiparts. Deeper ones are not looked into.

  /// A longer line arrives in pieces: of a header as one, of the body as a line each (line_length_limit).
  std::size_t line_length_limit = kUnlimited;

  /// Text that is 8bit or binary by its Content-Transfer-Encoding becomes quoted-printable, for a server that
  /// takes nothing else (RFC 6152, section 3). Lines are then those of the new encoding.
  bool converts_8bit = false;

  MimeStrictness strictness = {};
};

/// Parses one message. Not thread-safe, not copyable; `sink` must live longer.
class MimeParser {
 public:
  explicit MimeParser(MessageSink& sink, const MimeOptions& options = {});
  MimeParser(const MimeParser&) = delete;
  MimeParser& operator=(const MimeParser&) = delete;

  /// Takes the next bytes of the message, divided in any way. A line ends with a newline; a carriage return
  /// before it is text.
  void feed(std::string_view bytes);

  /// The same as feed() with that text and a newline. A line that is not too long is not copied.
  void feed_line(std::string_view text);

  /// The same for a line that comes in pieces, as a queue file has them; `ends_line`: the last one. Sizes of
  /// pieces are the caller's. Use this or feed() for a message, not both.
  void feed_piece(std::string_view text, bool ends_line);

  /// The message is complete; its last line may lack a newline. Call nothing afterwards.
  void finish();

 private:
  enum class Section { kPrimary, kPart, kNested, kBody };
  enum class Encoding { k7Bit, k8Bit, kBinary, kQuotedPrintable, kBase64 };
  struct KnownEncoding {
    std::string_view name;
    Encoding encoding;
    EncodingRule forbidden_by;
  };
  static const KnownEncoding kEncodings[];

  /// A multipart that is open here: its boundary, and whether its parts are messages by default.
  struct Multipart {
    std::string boundary;
    bool is_digest = false;
  };

  void line(std::string_view text, bool is_continued, bool goes_on);
  void header_line(std::string_view text, bool goes_on);
  void body_line(std::string_view text, bool goes_on);
  void emit_body(std::string_view text, bool goes_on);
  void emit_plain(std::string_view text, bool goes_on);
  void emit_encoded(std::string_view text, bool goes_on);
  void announce_encoding();
  bool is_converted() const;
  void finish_header();
  void section_end(bool is_blank_line);
  void content_type(std::string_view value);
  void transfer_encoding(std::string_view value);
  std::size_t delimited(std::string_view text) const;
  void delimiter(std::size_t depth, bool is_last);
  void check_encoding();
  void report(MimeFault fault, std::string_view text);
  HeaderKind kind_of_header() const;

  MessageSink& sink_;
  MimeOptions options_;
  Section section_ = Section::kPrimary;
  bool is_message_ = false;    ///< The current section's content is an attached message.
  bool is_composite_ = false;  ///< It is one, or a multipart.
  bool is_identity_ = false;   ///< ContentType::is_identity of it.
  EncodingRule encoding_rule_ = EncodingRule::kAny;  ///< For the current section.
  Encoding encoding_ = Encoding::k7Bit;              ///< Of the current section.
  std::vector<Multipart> multiparts_;                ///< The innermost is last.
  std::string header_;                               ///< The logical header so far; empty when there is none.
  std::size_t name_length_ = 0;                      ///< Of its name.
  std::string partial_;                              ///< The start of a line whose end has not come yet.
  bool is_continued_ = false;                        ///< Part of that line went to line() already.
  QuotedPrintableLine encoded_;                      ///< Of a line that is converted, as far as it came.
  std::bitset<kMimeFaults> reported_;
};

}  // namespace mta
