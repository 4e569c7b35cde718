/// Replies of an SMTP or LMTP server, as its client reads them (RFC 5321, section 4.2; RFC 3463).
///
///     ServerReplyReader reader;
///     std::optional<ServerReply> reply = reader.read(bytes);   // nothing: more bytes are needed
///     if (reply && reply->code / 100 == 2) go_on();
///
/// Lines that are none of a reply are passed over, as Postfix does. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mta {

struct ServerReply {
  int code = 0;        ///< 100 to 999
  std::string text;    ///< All lines with their codes and a blank between, in printable ASCII.
  std::string status;  ///< Enhanced (RFC 3463), of the code's class; where the server gave none, "5.0.0".
  /// What follows the code in each line.
  std::vector<std::string> lines;

  bool is_success() const { return code / 100 == 2; }
};

/// The bytes of a connection; they may come in any portions.
class ServerReplyReader {
 public:
  /// Takes `input`, and gives the first reply that is complete. Call it again without input for the next one.
  std::optional<ServerReply> read(std::string_view input);

 private:
  /// Whether the line ends a reply.
  bool add_line(std::string_view line);

  std::string input_;
  ServerReply reply_;
};

}  // namespace mta
