/// An explanation as text for people, and as JSON for programs.
#pragma once

#include <string>

#include "tools/postexplain/dry_run.h"

namespace postexplain {

/// A tree, a thing a line, and the decision at its end. `shows_details`: with what came to nothing.
std::string to_text(const Explanation& explanation, bool shows_details);

/// One object, on one line; see postexplain(1) for its members.
std::string to_json(const Explanation& explanation);

/// "reject at RCPT TO:<b@y>: 554 5.7.1 ...", "permit, smtp:y for <b@y>".
std::string summary(const Explanation& explanation);

/// Whether it is what somebody expects: a decision_name(), or the "transport:nexthop" of one recipient.
bool is_expected(const Explanation& explanation, std::string_view expected);

}  // namespace postexplain
