/// What another server says of its client, for the log and the queue file (XFORWARD_README).
#pragma once

#include <string>

#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/smtp/request.h"

namespace mta {

/// Empty members: not said.
struct ForwardedClient {
  std::string name;
  std::string address;
  std::string port;
  std::string protocol;
  std::string helo;
  std::string ident;   ///< The queue ID there.
  std::string source;  ///< "LOCAL" or "REMOTE"

  /// Takes what a command says; later attributes replace those of before.
  void take(const XforwardRequest& request);

  bool is_known() const;
  /// As RFC 5321, section 4.1.3, has it: "IPv6:2001:db8::1".
  std::string literal_address() const;
  /// "name[address]"; of the session, when nothing was said at all.
  std::string client(const SmtpdState& state) const;
  /// ", orig_queue_id=ID, orig_client=name[address]", for the line in the log that tells of the client.
  std::string log_text(const SmtpdState& state) const;
};

}  // namespace mta
