/// What comes of applying restrictions: the verdict, what is to be done with the message, and what
/// is to be logged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/daemon/error_class.h"

namespace mta {

enum class VerdictKind : std::uint8_t {
  kPermit,
  kReject,   ///< With a 4xx or a 5xx reply.
  kDiscard,  ///< To be accepted and thrown away.
};

/// What access(5) actions do to a message. They add up over the commands of a transaction.
struct MessageActions {
  bool hold = false;
  bool discard = false;
  std::optional<std::string> filter = {};    ///< The last FILTER.
  std::optional<std::string> redirect = {};  ///< The last REDIRECT.
  std::vector<std::string> bcc = {};
  std::vector<std::string> prepend = {};  ///< Header lines, the first to stand first.

  /// Adds what came later.
  void add(const MessageActions& later);
};

struct Verdict {
  VerdictKind kind = VerdictKind::kPermit;
  std::string reply = {};  ///< As it is to be sent, "554 5.7.1 <a@b>: Relay access denied"; empty: permitted.
  ErrorClass error_class = ErrorClass::kPolicy;  ///< Of a reply.
  bool closes_session = false;                   ///< The reply is 421 or 521: disconnect (access(5)).
  MessageActions actions = {};                   ///< Those of this command.
  std::vector<std::string> log = {};  ///< Complete lines, "NOQUEUE: reject: RCPT from ...", "warning: ...".
};

}  // namespace mta
