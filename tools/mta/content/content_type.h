/// What a Content-Type header says about where headers and bodies are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mta {

/// The media type, as far as it decides how the content is divided.
enum class MediaType {
  kUnknown,  ///< Any other type, or no type at all: it changes nothing that was known before.
  kText,  ///< Nothing is nested in it. An empty header means text too, and so do message/partial and others
          ///< of the kind, which hold no complete message.
  kMessage,    ///< message/rfc822 or message/global: headers and a body.
  kMultipart,  ///< Parts between boundaries.
};

/// Which Content-Transfer-Encoding a type may have (RFC 2045, section 6.4; RFC 2046, section 5.2).
enum class EncodingRule {
  kAny,
  kIdentity,  ///< Neither base64 nor quoted-printable: what is inside has encodings of its own.
  k7Bit,      ///< Neither 8bit nor binary: message/partial and message/external-body.
};

struct ContentType {
  MediaType type = MediaType::kUnknown;
  EncodingRule encoding_rule = EncodingRule::kAny;
  bool is_digest = false;    ///< multipart/digest: a part is a message unless it says otherwise.
  bool is_identity = false;  ///< A multipart or a message of any kind but message/global: what is 8bit is not
                             ///< called quoted-printable when it is converted.
  std::vector<std::string>
      boundaries;  ///< Of a kMultipart: one, if it is well-formed. Postfix takes them all.
};

/// Reads the value of a Content-Type header, folds and comments included (RFC 2045, section 5.1). Never
/// fails: what cannot be read is passed over, as Postfix does. Pure and thread-safe.
ContentType parse_content_type(std::string_view value);

/// The first word of a header's value, folds and comments left out; empty when something else comes first.
/// This is how Postfix reads Content-Transfer-Encoding. Pure and thread-safe.
std::string first_word(std::string_view value);

}  // namespace mta
