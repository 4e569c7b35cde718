/// The keys that `postmap -q -` looks up when its input is a message: options -b, -h and -m (postmap(1)).
#pragma once

#include <functional>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/content/mime_parser.h"

namespace postmap {

/// Which lines of a message are keys. At least one of `headers` and `body`: otherwise the input is no
/// message.
struct MessageKeys {
  bool headers = false;  ///< -h: each logical header, with its newlines.
  bool body = false;     ///< -b: each line of the body.
  bool mime = false;     ///< -m: headers of parts and of attached messages are headers, too.
};

/// What for_each_message_key() calls. The view is valid during the call only. An error ends the reading and
/// is returned.
using KeyVisitor = std::function<libconf::Result<void>(std::string_view key)>;

/// Calls what it is given, with whatever must be done before and after. Errors: its own, and those of the
/// call.
using BlockGuard = std::function<libconf::Result<void>(const std::function<libconf::Result<void>()>& work)>;

/// Reads a message from the descriptor `input` to its end, and visits its keys in order. A key ends at its
/// first NUL, and may be empty. `around` is called for the keys of one read(2), so that nothing is held while
/// more is waited for. `limits` gives the limits of main.cf; `keys.mime` decides whether MIME is parsed.
/// Errors: kInputOutput, "read standard input: REASON", and those of `around` and the visitor.
libconf::Result<void> for_each_message_key(int input, MessageKeys keys, const mta::MimeOptions& limits,
                                           const BlockGuard& around, const KeyVisitor& visit);

}  // namespace postmap
