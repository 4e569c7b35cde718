/// What a socketmap server sends, read from bytes that may be anything (socketmap_table(5);
/// http://cr.yp.to/proto/netstrings.txt).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace libmaps {

/// `payload` as a netstring.
std::string netstring(std::string_view payload);

/// What the front of a stream is.
struct NetstringScan {
  enum class State : std::uint8_t {
    kIncomplete,  ///< More bytes are needed to tell.
    kComplete,
    kMalformed,
    kTooLong,  ///< Announces more than the limit.
  };
  State state = State::kIncomplete;
  std::string_view payload = {};  ///< When complete; points into the text.
  std::size_t length = 0;         ///< When complete: of the netstring with all that surrounds the payload.
};

/// Looks for a netstring of at most `limit` bytes at the front of `text`. A stream that stays kIncomplete is
/// shorter than limit + 24.
NetstringScan scan_netstring(std::string_view text, std::size_t limit);

/// One reply.
struct SocketmapReply {
  enum class Status : std::uint8_t { kOk, kNotFound, kTemporary, kTimeout, kPermanent, kUnknown };
  Status status = Status::kUnknown;
  std::string_view text;  ///< The value, or the reason. Points into the payload.
};

/// Reads the payload of a reply.
SocketmapReply parse_socketmap_reply(std::string_view payload);

}  // namespace libmaps
