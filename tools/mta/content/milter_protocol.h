/// The mail filter (milter) protocol, versions 2 to 6, as a codec: no sockets, no state. The mail server
/// sends commands, a filter replies. Sources: the description of the protocol that comes with go-milter
/// (milter-protocol-extras.txt), the libmilter API's documentation, and what a server sends to a filter.
///
///     std::string packets = encode_helo("client.example.com");
///     MilterPacketReader reader;
///     reader.feed(bytes);
///     Result<std::optional<MilterReply>> reply = reader.next();
///
/// A packet is its length (32 bits, network order), a code, and data; strings in it end with a NUL. All
/// functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/result.h"

namespace mta {

enum class MilterCommand : char {
  kAbort = 'A',
  kBody = 'B',
  kConnect = 'C',
  kMacros = 'D',
  kEndOfBody = 'E',
  kHelo = 'H',
  kQuitNewConnection = 'K',
  kHeader = 'L',
  kMail = 'M',
  kEndOfHeaders = 'N',
  kNegotiate = 'O',
  kQuit = 'Q',
  kRecipient = 'R',
  kData = 'T',
  kUnknown = 'U',
};

enum class MilterReplyCode : char {
  kAddRecipient = '+',
  kDeleteRecipient = '-',
  kAddRecipientWithArguments = '2',
  kShutdown = '4',
  kAccept = 'a',
  kReplaceBody = 'b',
  kContinue = 'c',
  kDiscard = 'd',
  kChangeSender = 'e',
  kConnectionFailure = 'f',
  kAddHeader = 'h',
  kInsertHeader = 'i',
  kChangeHeader = 'm',
  kNegotiate = 'O',
  kProgress = 'p',
  kQuarantine = 'q',
  kReject = 'r',
  kSkip = 's',
  kTemporaryFailure = 't',
  kReplyCode = 'y',
};

/// "SMFIC_MAIL", "SMFIR_ACCEPT": as the protocol calls them, for messages. A reply that is none:
/// "(unknown filter reply)".
std::string_view name_of(MilterCommand command);
std::string_view name_of(MilterReplyCode code);

/// What a filter may do to a message: bits of MilterNegotiation::actions.
namespace milter_action {
inline constexpr std::uint32_t kAddHeaders = 0x1;
inline constexpr std::uint32_t kChangeBody = 0x2;
inline constexpr std::uint32_t kAddRecipients = 0x4;
inline constexpr std::uint32_t kDeleteRecipients = 0x8;
inline constexpr std::uint32_t kChangeHeaders = 0x10;
inline constexpr std::uint32_t kQuarantine = 0x20;
inline constexpr std::uint32_t kChangeSender = 0x40;
inline constexpr std::uint32_t kAddRecipientsWithArguments = 0x80;
inline constexpr std::uint32_t kSetMacroLists = 0x100;
inline constexpr std::uint32_t kAll = 0x1FF;
}  // namespace milter_action

/// What is left out, or done otherwise, in the conversation: bits of MilterNegotiation::protocol. The server
/// offers, the filter chooses.
namespace milter_protocol {
inline constexpr std::uint32_t kNoConnect = 0x1;
inline constexpr std::uint32_t kNoHelo = 0x2;
inline constexpr std::uint32_t kNoMail = 0x4;
inline constexpr std::uint32_t kNoRecipient = 0x8;
inline constexpr std::uint32_t kNoBody = 0x10;
inline constexpr std::uint32_t kNoHeader = 0x20;
inline constexpr std::uint32_t kNoEndOfHeaders = 0x40;
inline constexpr std::uint32_t kNoHeaderReply = 0x80;
inline constexpr std::uint32_t kNoUnknown = 0x100;
inline constexpr std::uint32_t kNoData = 0x200;
inline constexpr std::uint32_t kSkip = 0x400;                ///< The server understands kSkip.
inline constexpr std::uint32_t kRejectedRecipients = 0x800;  ///< Those too are told.
inline constexpr std::uint32_t kNoConnectReply = 0x1000;
inline constexpr std::uint32_t kNoHeloReply = 0x2000;
inline constexpr std::uint32_t kNoMailReply = 0x4000;
inline constexpr std::uint32_t kNoRecipientReply = 0x8000;
inline constexpr std::uint32_t kNoDataReply = 0x10000;
inline constexpr std::uint32_t kNoUnknownReply = 0x20000;
inline constexpr std::uint32_t kNoEndOfHeadersReply = 0x40000;
inline constexpr std::uint32_t kNoBodyReply = 0x80000;
inline constexpr std::uint32_t kLeadingSpace = 0x100000;  ///< Header values have the blank behind the colon.

/// What exists in a version of the protocol.
std::uint32_t all(std::uint32_t version);
}  // namespace milter_protocol

inline constexpr std::uint32_t kOldestMilterVersion = 2;
inline constexpr std::uint32_t kNewestMilterVersion = 6;

/// The most that one body command carries, in bytes.
inline constexpr std::size_t kMilterChunkSize = 65535;

/// When macros are sent; the numbers are those of the protocol. kUnknown has none there.
enum class MilterStage : std::uint32_t {
  kConnect,
  kHelo,
  kMail,
  kRecipient,
  kData,
  kEndOfMessage,
  kEndOfHeaders,
  kUnknown
};

inline constexpr std::size_t kMilterStages = 8;

struct MilterNegotiation {
  std::uint32_t version = kNewestMilterVersion;
  std::uint32_t actions = 0;
  std::uint32_t protocol = 0;
  /// A filter's wishes: the stage, as a number that need not be one, and macro names.
  std::vector<std::pair<std::uint32_t, std::string>> macro_lists = {};
};

/// The kind of a client's address.
enum class MilterFamily : char { kUnknown = 'U', kUnix = 'L', kInet = '4', kInet6 = '6' };

using MilterMacros = std::vector<std::pair<std::string, std::string>>;

std::string encode_negotiation(const MilterNegotiation& negotiation);
std::string encode_macros(MilterCommand command, const MilterMacros& macros);
/// kUnknown has no port and no address.
std::string encode_connect(std::string_view client_name, MilterFamily family, std::uint16_t port,
                           std::string_view address);
std::string encode_helo(std::string_view name);
/// MAIL or RCPT: the address in angle brackets, then ESMTP parameters.
std::string encode_envelope(MilterCommand command, std::span<const std::string> arguments);
std::string encode_unknown(std::string_view line);
std::string encode_header(std::string_view name, std::string_view value);
/// REQUIRES: chunk.size() <= kMilterChunkSize.
std::string encode_body(std::string_view chunk);
/// A command that has no data: kAbort, kData, kEndOfBody, kEndOfHeaders, kQuit, kQuitNewConnection.
std::string encode_bare(MilterCommand command);

/// What a filter said. Which members are set depends on the code.
struct MilterReply {
  MilterReplyCode code = MilterReplyCode::kContinue;
  std::uint32_t index = 0;                  ///< kInsertHeader, kChangeHeader.
  std::string name = {};                    ///< Of the header.
  std::string text = {};                    ///< A header's value, a reply, a reason, a piece of body.
  std::vector<std::string> arguments = {};  ///< An address, then ESMTP parameters.
  MilterNegotiation negotiation = {};       ///< kNegotiate.
};

/// Reads one packet, without its length. Errors: kSyntax, in Postfix's words: "input packet too short for
/// network long", "missing string null terminator"; "(unknown filter reply)" is no error but a code without a
/// name.
libconf::Result<MilterReply> decode_milter_reply(std::string_view packet);

/// Puts packets together from what a socket gives.
class MilterPacketReader {
 public:
  /// No filter has reason to send more at a time, in bytes.
  static constexpr std::size_t kMaximalPacket = 1 << 20;

  void feed(std::string_view bytes) { buffer_ += bytes; }

  /// The next reply; nothing: its end has not come yet. Errors, after which the conversation is over:
  /// kSyntax.
  libconf::Result<std::optional<MilterReply>> next();

 private:
  std::string buffer_;
};

}  // namespace mta
