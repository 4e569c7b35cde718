/// Requests and replies of the tcp_table protocol (tcp_table(5)). Replies may be any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace libmaps {

/// The longest reply, with its newline.
inline constexpr std::size_t kMaxTcpReply = 4096;

/// `text` with '%', white space and all that is not printable ASCII written as %XX.
std::string tcp_encode(std::string_view text);

/// The reverse; nothing when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> tcp_decode(std::string_view text);

/// One reply.
struct TcpReply {
  enum class Status : std::uint8_t { kFound, kNotFound, kTemporary, kBadStatus, kMalformed };
  Status status = Status::kMalformed;
  std::string value;  ///< Of kFound, decoded.
};

/// Reads a reply, without its newline.
TcpReply parse_tcp_reply(std::string_view line);

}  // namespace libmaps
