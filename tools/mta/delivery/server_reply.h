/// Replies of an SMTP or LMTP server, as its client reads them (RFC 5321, section 4.2; RFC 3463).
///
///     ServerReplyReader reader;
///     std::optional<ServerReply> reply = reader.read(bytes);   // nothing: more bytes are needed
///     if (reply && reply->code / 100 == 2) go_on();
///
/// Lines that are none of a reply are passed over, but for the text, as Postfix does. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace mta {

struct ServerReply {
  int code = 0;        ///< 0 to 999
  std::string text;    ///< All lines with their codes and a blank between, in printable ASCII.
  std::string status;  ///< Enhanced (RFC 3463), of the code's class; where the server gave none, "5.0.0".
  /// What follows the code in each line.
  std::vector<std::string> lines;

  bool is_success() const { return code / 100 == 2; }

  /// Of a reply that is no success: one of both sides has the protocol wrong, as Postfix sees it.
  bool is_protocol_error() const { return code / 10 == 50 || code == 555 || code < 400 || code >= 600; }
};

/// Who looks at the lines of replies as they come.
class ReplyLineSink {
 public:
  virtual ~ReplyLineSink() = default;
  /// What stands for a line (smtp_reply_filter); nothing: itself. Errors: that could not be told.
  virtual libconf::Result<std::optional<std::string>> replacement(std::string_view line) = 0;
  /// A line that is none of a reply.
  virtual void note_stray_line(std::string_view line) = 0;
};

/// The bytes of a connection; they may come in any portions.
class ServerReplyReader {
 public:
  /// `lines` must outlive the object; null: nobody looks.
  explicit ServerReplyReader(ReplyLineSink* lines = nullptr) : lines_(lines) {}

  /// Takes `input`, and gives the first reply that is complete. Call it again without input for the next one.
  std::optional<ServerReply> read(std::string_view input);

  /// It could not be told what stands for a line: there are no more replies.
  bool has_failed() const { return has_failed_; }

 private:
  /// Whether the line ends a reply.
  bool take_line(std::string_view line);
  bool add_line(std::string_view line);

  ReplyLineSink* lines_;
  std::string input_;
  ServerReply reply_;
  bool has_text_ = false;
  bool has_failed_ = false;
};

}  // namespace mta
