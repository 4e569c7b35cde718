/// SMTP commands as the server understands them: a typed request, or the reply that refuses it.
///
///     const mta::CommandLine line(text);
///     const mta::Command* command = mta::find_command(line.name());
///     mta::RequestResult request = mta::parse_request(*command, line, options, state);
///     if (!request) return send(request.error());
///     if (auto* mail = std::get_if<mta::MailRequest>(&*request)) begin(mail->sender);
///
/// Syntax and the order of commands are checked here, in Postfix's order and words; who may do what is not.
/// All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "tools/mta/smtp/command.h"
#include "tools/mta/smtp/reply.h"
#include "tools/mta/smtp/server_options.h"

namespace mta {

/// What has happened in a session so far, and what it may do. Restrictions that a server checks before any of
/// this (the right to use XCLIENT) come from outside.
struct SessionState {
  bool has_helo = false;  ///< HELO or EHLO was answered.
  bool is_tls = false;
  bool is_authenticated = false;
  bool has_sender = false;       ///< Between MAIL and the end of its message.
  bool is_utf8_message = false;  ///< MAIL said SMTPUTF8.
  unsigned recipients = 0;       ///< Those that were accepted.
  bool is_in_chunks = false;     ///< A BDAT command of this message was answered.
  bool is_chunk_failed = false;  ///< One of them was refused: the rest is passed over.

  bool may_use_xclient = false;   ///< smtpd_authorized_xclient_hosts
  bool may_use_xforward = false;  ///< smtpd_authorized_xforward_hosts
  bool may_use_verp = false;      ///< smtpd_authorized_verp_clients
  bool offers_auth = false;       ///< AUTH may be used now.
  bool offers_tls = false;        ///< STARTTLS may be used now.
  bool requires_tls = false;      ///< smtpd_tls_security_level = encrypt
  DiscardedKeywords discarded;    ///< For this client.
};

struct HeloRequest {
  std::string name;  ///< Characters that are special in headers have become '?'.
  bool is_extended = false;
};

/// BODY (RFC 6152)
enum class BodyType { kUnspecified, k7Bit, k8BitMime };

/// RET (RFC 3461, section 4.3)
enum class DsnReturn { kUnspecified, kFull, kHeaders };

struct MailRequest {
  std::string sender;  ///< In internal form.
  std::uint64_t size = 0;
  BodyType body = BodyType::kUnspecified;
  DsnReturn dsn_return = DsnReturn::kUnspecified;
  std::string envelope_id;  ///< ENVID, decoded.
  /// AUTH, as the client wrote it, in xtext (RFC 4954, section 5). Nothing: not given, or "<>".
  std::optional<std::string> submitter;
  bool is_utf8 = false;
  std::string verp_delimiters;  ///< XVERP; empty: not asked for.
};

/// NOTIFY (RFC 3461, section 4.1), with the values that a queue file has.
struct DsnNotify {
  static constexpr unsigned kNever = 1;
  static constexpr unsigned kSuccess = 2;
  static constexpr unsigned kFailure = 4;
  static constexpr unsigned kDelay = 8;
};

struct RcptRequest {
  std::string recipient;           ///< In internal form; never empty.
  unsigned notify = 0;             ///< Values of DsnNotify; 0: not given.
  std::string original_recipient;  ///< ORCPT: type, ';' and the address, decoded. Empty: not given.
};

struct DataRequest {};

/// `size` bytes follow, whatever the reply will be.
struct BdatRequest {
  std::uint64_t size = 0;
  bool is_last = false;
  std::optional<Reply> refusal = {};  ///< The chunk must be passed over, then this is the answer.
};

struct RsetRequest {};
struct NoopRequest {};
struct QuitRequest {};
struct StarttlsRequest {};

struct VrfyRequest {
  std::string address;  ///< In internal form.
  std::string text;     ///< As the client wrote it: "252 2.0.0 text" is the reply when all is well.
};

struct EtrnRequest {
  std::string domain;
};

struct AuthRequest {
  std::string mechanism;
  std::optional<std::string> initial_response = {};  ///< In base64.
};

/// Attributes of XCLIENT_README and XFORWARD_README.
enum class ClientAttributeName {
  kName,
  kReverseName,
  kAddr,
  kPort,
  kProto,
  kHelo,
  kLogin,
  kDestAddr,
  kDestPort,
  kIdent,
  kSource,
};

enum class ClientAttributeState {
  kKnown,
  kUnavailable,             ///< [UNAVAILABLE]
  kTemporarilyUnavailable,  ///< [TEMPUNAVAIL], of names
};

struct ClientAttribute {
  ClientAttributeName name;
  ClientAttributeState state = ClientAttributeState::kKnown;
  std::string value;  ///< Decoded; of an address without "IPV6:". Empty unless kKnown.
};

struct XclientRequest {
  std::vector<ClientAttribute> attributes;
};

struct XforwardRequest {
  std::vector<ClientAttribute> attributes;
};

using Request = std::variant<HeloRequest, MailRequest, RcptRequest, DataRequest, BdatRequest, RsetRequest,
                             NoopRequest, QuitRequest, StarttlsRequest, VrfyRequest, EtrnRequest, AuthRequest,
                             XclientRequest, XforwardRequest>;
using RequestResult = tl::expected<Request, Reply>;

/// Reads the words of `line` as `command`, whose name is the first of them.
RequestResult parse_request(const Command& command, const CommandLine& line, const ServerOptions& options,
                            const SessionState& state);

/// The replies to what is no request.
Reply reply_to_empty_line();
Reply reply_to_bad_utf8();
Reply reply_to_unknown_command();
Reply reply_to_forbidden_command();
Reply reply_to_unauthorized_pipelining();
Reply reply_to_bare_newline(const ServerOptions& options);
Reply reply_to_large_message();
Reply reply_to_large_chunk();

}  // namespace mta
