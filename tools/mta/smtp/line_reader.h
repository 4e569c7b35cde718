/// Lines out of bytes that arrive in any portions, as an SMTP server takes them (RFC 5321, section 2.3.8;
/// line_length_limit in postconf(5)).
///
///     mta::CommandReader reader(2048, mta::BareNewline::kNormalize);
///     std::string_view input = received;
///     while (auto line = reader.read(input)) handle(line->text);
///     // All of `input` is taken; what belongs to an incomplete line is kept.
///
/// How the same bytes are divided into portions changes nothing. A line that lies in one portion is not
/// copied. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mta {

/// smtpd_forbid_bare_newline: what becomes of a line that ends in <LF> alone, and what ends a message.
enum class BareNewline {
  kAllow,  ///< "no": <LF> is as good as <CR><LF>, for the end of a message, too. Any number of <CR> before
           ///< it is dropped.
  kNormalize,  ///< "normalize", "yes": only <CR><LF>.<CR><LF> ends a message; otherwise <LF> is as good.
  kNote,       ///< "note": as kNormalize, and the session's last log line tells (Postfix 3.9).
  kReject,     ///< "reject": a command or message with such a line is refused.
};

/// Reads a value of smtpd_forbid_bare_newline, in any case of letters. Nothing: it is none.
std::optional<BareNewline> parse_bare_newline(std::string_view value);

/// How a piece of input ends.
enum class LineEnd {
  kNone,  ///< Not at the end of a line: the line is longer than the limit.
  kLf,    ///< <LF> alone
  kCrLf,
};

/// A line, or a part of a long one, without its end.
struct LinePiece {
  std::string_view text;
  LineEnd end = LineEnd::kNone;
};

/// Cuts input into lines, and lines into pieces of `limit` bytes.
class LineSplitter {
 public:
  /// `strips_all_cr`: every <CR> in front of <LF> is part of the line's end, not only one.
  LineSplitter(std::size_t limit, bool strips_all_cr) : limit_(limit), strips_all_cr_(strips_all_cr) {}

  /// Takes the next piece off the front of `input`. Nothing: `input` is used up, and the start of a piece is
  /// kept for the next call. The text is valid until the next call, or until `input`'s bytes go.
  std::optional<LinePiece> next(std::string_view& input);

  /// What is kept of an incomplete piece.
  std::string_view pending() const { return is_pending_taken_ ? std::string_view() : pending_; }

  /// Forgets what is kept.
  void clear();

  std::size_t limit() const { return limit_; }

 private:
  std::optional<std::size_t> piece_length(std::string_view bytes, bool& is_complete) const;
  LinePiece finish(std::string_view line) const;

  std::size_t limit_;
  bool strips_all_cr_;
  std::string pending_;
  bool is_pending_taken_ = false;  ///< The last piece was in pending_; it goes with the next call.
};

/// A command line.
struct CommandInput {
  std::string_view text;  ///< Without its end, and what follows a NUL. At most line_length_limit bytes of it.
  bool has_bare_newline = false;  ///< It ended in <LF> alone. Not known of a line that was too long.
  bool is_too_long = false;       ///< The text is its start only.
};

/// Reads command lines. The rest of a line that is too long is passed over, and its start made printable, as
/// Postfix does.
class CommandReader {
 public:
  /// `is_utf8`: what is UTF-8 may stand in the start of a line that was too long (smtputf8_enable).
  CommandReader(std::size_t line_length_limit, BareNewline mode, bool is_utf8)
      : splitter_(line_length_limit, mode == BareNewline::kAllow), is_utf8_(is_utf8) {}

  /// Takes the next command off the front of `input`; see LineSplitter::next().
  std::optional<CommandInput> read(std::string_view& input);

  /// Forgets what has come of the next command.
  void clear() {
    splitter_.clear();
    is_long_ = is_long_taken_ = false;
  }

  /// line_length_limit
  std::size_t limit() const { return splitter_.limit(); }

  /// Whether the start of another command has come already.
  bool has_pending() const { return !splitter_.pending().empty(); }

 private:
  LineSplitter splitter_;
  bool is_utf8_;
  std::string long_line_;  ///< The first piece of a line that was too long.
  bool is_long_ = false;
  bool is_long_taken_ = false;
};

}  // namespace mta
