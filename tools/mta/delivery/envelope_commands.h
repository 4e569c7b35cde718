/// The commands with which the SMTP and the LMTP client tell a server where a message comes from and goes to
/// (RFC 5321, RFC 1870, RFC 6152, RFC 3461, RFC 6531, XFORWARD_README).
///
///     std::string group;
///     append_mail_command(group, request, features, form);       // "MAIL FROM:<ann@example.org>
///     SIZE=300\r\n" append_rcpt_command(group, recipient, features, true);  // "RCPT
///     TO:<bob@example.com>\r\n"
///
/// All functions are pure and thread-safe.
#pragma once

#include <string>

#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/server_features.h"

namespace mta {

/// Whether a server must know SMTPUTF8 to take the message for these recipients (SMTPUTF8_README).
bool needs_smtputf8(const DeliveryRequest& request, const std::vector<std::size_t>& recipients);

struct MailCommandForm {
  bool quotes = true;           ///< smtp_quote_rfc821_envelope
  bool is_converted = false;    ///< The size of what will be sent is not known.
  bool is_dummy_login = false;  ///< smtp_send_dummy_mail_auth: who sent it is not told.
};
void append_mail_command(std::string& out, const DeliveryRequest& request, const ServerFeatures& features,
                         const MailCommandForm& form);

/// `quotes`: smtp_quote_rfc821_envelope.
void append_rcpt_command(std::string& out, const QueueRecipient& recipient, const ServerFeatures& features,
                         bool quotes);

/// What the server takes of name, address and port of the client that the message came from; nothing when
/// none of them is known.
void append_xforward_client(std::string& out, const DeliveryOrigin& origin, const ServerFeatures& features);

/// The same for the name in HELO, the protocol and whether the client was one of this system.
void append_xforward_session(std::string& out, const DeliveryOrigin& origin, const ServerFeatures& features);

}  // namespace mta
