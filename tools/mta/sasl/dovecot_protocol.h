/// The lines of Dovecot's authentication protocol, version 1 (Dovecot's documentation, "Dovecot
/// Authentication Protocol"), as the client of an auth server reads and writes them. What a server sends may
/// be any bytes.
///
///     DovecotHandshake handshake;
///     for (each line) { Result<bool> done = handshake.read(line); ... }
///     send(dovecot_auth_request(1, "PLAIN", parameters));
///     Result<DovecotReply> reply = parse_dovecot_reply(line);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/sasl/sasl_backend.h"
#include "tools/mta/sasl/security_options.h"

namespace mta {

/// No line is longer, without its newline; Dovecot expects that much of both sides.
inline constexpr std::size_t kDovecotLineLimit = 16384;
/// No handshake has more lines.
inline constexpr std::size_t kDovecotHandshakeLimit = 256;

/// A mechanism, and what is known of it.
struct DovecotMechanism {
  std::string name;  ///< In capital letters.
  bool is_plaintext = false;
  bool is_active = false;      ///< Subject to active attacks, other than by dictionary.
  bool is_dictionary = false;  ///< Subject to passive attacks by dictionary.
  bool is_anonymous = false;
  bool has_forward_secrecy = false;
  bool has_mutual_auth = false;
  bool is_private = false;  ///< Not to be shown to clients.
};

/// Whether `options` allow it.
bool allows(const SecurityOptions& options, const DovecotMechanism& mechanism);

/// What the server says first.
class DovecotHandshake {
 public:
  /// Takes a line, without its newline; unknown ones are passed over. Returns whether it was the last.
  /// Errors: kTemporary, for another major version, a handshake without version, and one that does not end.
  libconf::Result<bool> read(std::string_view line);

  const std::vector<DovecotMechanism>& mechanisms() const { return mechanisms_; }

 private:
  std::vector<DovecotMechanism> mechanisms_;
  std::size_t lines_ = 0;
  bool has_version_ = false;
};

/// What the client says first.
std::string dovecot_greeting(std::int64_t process_id);

/// The request `id`. `service` and the addresses are escaped as they must be. `initial_response` has bytes.
/// REQUIRES: the mechanism is a word.
std::string dovecot_auth_request(std::uint32_t id, std::string_view mechanism, std::string_view service,
                                 const SaslPeer& peer, const std::optional<std::string>& initial_response);

/// The client's response, bytes, to a challenge.
std::string dovecot_continue_request(std::uint32_t id, std::string_view response);

/// Gives request `id` up.
std::string dovecot_cancel_request(std::uint32_t id);

/// A line that answers a request.
struct DovecotReply {
  std::uint32_t id = 0;
  SaslAnswer answer;
};

/// Reads a line. Nothing: it is none that answers a request. A reply to a request that makes no sense, or has
/// no usable user name, is an answer kTemporary, "Authentication backend error".
std::optional<DovecotReply> parse_dovecot_reply(std::string_view line);

}  // namespace mta
