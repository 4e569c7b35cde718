/// What smtpd_sasl_type stands for: an implementation of SASL, which knows mechanisms and verifies passwords.
/// SaslServer makes an SMTP server's AUTH of it.
///
///     Result<std::vector<std::string>> names = co_await backend.mechanisms(peer);
///     std::unique_ptr<SaslConversation> conversation = backend.converse(peer);
///     SaslAnswer answer = co_await conversation->start("PLAIN", initial_response);
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace mta {

/// The SMTP session that AUTH is for.
struct SaslPeer {
  std::string local_address = {};  ///< "192.0.2.1" or "2001:db8::1".
  std::string local_port = {};     ///< A number; may be empty, as the other ports and addresses.
  std::string remote_address = {};
  std::string remote_port = {};
  bool has_tls = false;
  bool has_trusted_certificate = false;  ///< The client's certificate was verified.
};

/// What the implementation says to a message of the client.
struct SaslAnswer {
  enum class Kind {
    kChallenge,  ///< `text` has the bytes of a challenge; the client is to respond.
    kSuccess,    ///< The client is `username`.
    kFailure,    ///< It is not; `text` says why, in words that the client may see.
    kTemporary,  ///< It could not be told; `text` as before.
  };
  Kind kind = Kind::kTemporary;
  std::string text = {};
  std::string username = {};  ///< Of a failure: who it claimed to be, as far as that is known.
};

/// One exchange of messages. Not thread-safe; one message at a time. It may be destroyed at any time but
/// while a message is under way.
class SaslConversation {
 public:
  virtual ~SaslConversation() = default;

  /// `initial_response` has bytes; nothing: the client sent none, which is not the same as an empty one. The
  /// mechanism is in capital letters.
  virtual asio::awaitable<SaslAnswer> start(std::string mechanism,
                                            std::optional<std::string> initial_response) = 0;

  /// REQUIRES: the last answer was a challenge.
  virtual asio::awaitable<SaslAnswer> step(std::string response) = 0;
};

/// Not thread-safe. It outlives its conversations.
class SaslBackend {
 public:
  virtual ~SaslBackend() = default;

  /// The mechanisms that there are for this session, as the security options have it; none is an empty list.
  /// Errors: kTemporary, when it could not be told.
  virtual asio::awaitable<libconf::Result<std::vector<std::string>>> mechanisms(const SaslPeer& peer) = 0;

  virtual std::unique_ptr<SaslConversation> converse(const SaslPeer& peer) = 0;
};

}  // namespace mta
