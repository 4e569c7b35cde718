/// The texts of the policy delegation protocol (SMTPD_POLICY_README).
///
///     std::string request = format_policy_request(state, "submission", {"3.12", "3.12.0"});
///     std::optional<std::string> action = parse_policy_reply("action=DUNNO\n\n");
///
/// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/access/smtpd_state.h"

namespace mta {

/// What a server is told about us (Postfix 3.8 and later).
struct PolicyVersions {
  std::string compatibility_level;
  std::string mail_version;
};

/// All attributes of Postfix 3.12, in its order, and an empty line.
std::string format_policy_request(const SmtpdState& state, std::string_view policy_context,
                                  const PolicyVersions& versions);

/// The length of the first reply in `text`, with its empty line; 0: it is not complete.
std::size_t policy_reply_length(std::string_view text);

/// The value of the attribute `action`; nothing: there is none. REQUIRES: `reply` is a whole reply.
std::optional<std::string> parse_policy_reply(std::string_view reply);

/// "CONNECT", "EHLO" and so on: protocol_state, and what the log calls the command.
std::string_view command_name(const SmtpdState& state);

}  // namespace mta
