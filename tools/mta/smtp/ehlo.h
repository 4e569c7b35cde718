/// The answers to HELO and EHLO (RFC 5321, section 4.1.1.1).
#pragma once

#include <string>
#include <vector>

#include "tools/mta/smtp/reply.h"
#include "tools/mta/smtp/request.h"
#include "tools/mta/smtp/server_options.h"

namespace mta {

/// The keywords that this client gets, in Postfix's order, each with its parameters: "SIZE 10240000".
/// `mechanisms` are those of AUTH, "PLAIN LOGIN"; without one, AUTH is not offered. Pure and thread-safe.
std::vector<std::string> ehlo_keywords(const ServerOptions& options, const SessionState& state,
                                       std::string_view mechanisms);

/// The reply to EHLO: the server's name, and the keywords.
Reply ehlo_reply(const ServerOptions& options, const SessionState& state, std::string_view mechanisms);

/// The reply to HELO.
Reply helo_reply(const ServerOptions& options);

/// The first reply of a session, and the one to XCLIENT.
Reply greeting(const ServerOptions& options);

}  // namespace mta
