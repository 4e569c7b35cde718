/// What a before-queue filter replies (SMTPD_PROXY_README), before it is anybody's: nothing of it is trusted.
///
///     if (std::size_t length = proxy_reply_length(input); length > 0) {
///       const std::string reply = clean_proxy_reply(input.substr(0, length));
///       if (is_proxy_reply(reply)) ... reply_of_proxy(reply) ...
///
/// All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/smtp/reply.h"

namespace mta {

/// The length in bytes of the first complete reply in `input`; 0: there is none yet.
std::size_t proxy_reply_length(std::string_view input);

/// The lines of a reply as a client may see them, with <CR><LF> between them: as in Postfix, a NUL ends a
/// line, and what cannot be printed is a question mark.
std::string clean_proxy_reply(std::string_view text);

/// Whether a clean reply begins as RFC 5321 has it: with a code from 200 to 599.
bool is_proxy_reply(std::string_view text);

/// What the client is told. `refusal`: what a 4xx or 5xx reply is to the postmaster. REQUIRES:
/// is_proxy_reply(text).
Reply reply_of_proxy(std::string_view text, ErrorClasses refusal = {});

/// The attributes that a reply to EHLO offers to take (XFORWARD_README).
std::vector<std::string> offered_attributes(std::string_view ehlo_reply);

}  // namespace mta
