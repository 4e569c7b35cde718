/// What may be wrong with the MIME structure of a message, and what a client is told of it:
/// mime_nesting_limit, strict_7bit_headers, strict_8bitmime_body and strict_mime_encoding_domain
/// (postconf(5)).
#pragma once

#include <cstddef>
#include <string_view>

namespace mta {

/// In the order in which one counts when a message has several: the first is the reply.
enum class MimeFault { kNesting, k8BitHeader, k8BitBody, kEncodingDomain };

inline constexpr std::size_t kMimeFaults = 4;

/// What to look for.
struct MimeStrictness {
  bool nesting = false;        ///< More multiparts in one another than mime_nesting_limit.
  bool headers_7bit = false;   ///< 8-bit data in headers.
  bool body_8bitmime = false;  ///< 8-bit data in a body that does not say so.
  bool encoding_domain =
      false;  ///< A message or multipart in base64 or quoted-printable (RFC 2045, section 6.4).
};

/// Postfix's words, such as "MIME nesting exceeds safety limit". The reply is "550 5.6.0" and these.
std::string_view describe(MimeFault fault);

}  // namespace mta
