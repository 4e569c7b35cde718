#include "tools/mta/content/milter_protocol.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::size_t kLongSize = 4;

/// How the data of a reply is made.
enum class Shape { kNothing, kText, kBytes, kArguments, kHeader, kIndexedHeader, kNegotiation };

template <class Code>
struct Named {
  Code code;
  std::string_view name;
};

constexpr std::array kCommands = {
    Named<MilterCommand>{MilterCommand::kAbort, "SMFIC_ABORT"},
    Named<MilterCommand>{MilterCommand::kBody, "SMFIC_BODY"},
    Named<MilterCommand>{MilterCommand::kConnect, "SMFIC_CONNECT"},
    Named<MilterCommand>{MilterCommand::kMacros, "SMFIC_MACRO"},
    Named<MilterCommand>{MilterCommand::kEndOfBody, "SMFIC_BODYEOB"},
    Named<MilterCommand>{MilterCommand::kHelo, "SMFIC_HELO"},
    Named<MilterCommand>{MilterCommand::kQuitNewConnection, "SMFIC_QUIT_NC"},
    Named<MilterCommand>{MilterCommand::kHeader, "SMFIC_HEADER"},
    Named<MilterCommand>{MilterCommand::kMail, "SMFIC_MAIL"},
    Named<MilterCommand>{MilterCommand::kEndOfHeaders, "SMFIC_EOH"},
    Named<MilterCommand>{MilterCommand::kNegotiate, "SMFIC_OPTNEG"},
    Named<MilterCommand>{MilterCommand::kQuit, "SMFIC_QUIT"},
    Named<MilterCommand>{MilterCommand::kRecipient, "SMFIC_RCPT"},
    Named<MilterCommand>{MilterCommand::kData, "SMFIC_DATA"},
    Named<MilterCommand>{MilterCommand::kUnknown, "SMFIC_UNKNOWN"},
};

struct KnownReply {
  MilterReplyCode code;
  std::string_view name;
  Shape shape = Shape::kNothing;
};

constexpr std::array kReplies = {
    KnownReply{MilterReplyCode::kAddRecipient, "SMFIR_ADDRCPT", Shape::kArguments},
    KnownReply{MilterReplyCode::kDeleteRecipient, "SMFIR_DELRCPT", Shape::kArguments},
    KnownReply{MilterReplyCode::kAddRecipientWithArguments, "SMFIR_ADDRCPT_PAR", Shape::kArguments},
    KnownReply{MilterReplyCode::kShutdown, "SMFIR_SHUTDOWN"},
    KnownReply{MilterReplyCode::kAccept, "SMFIR_ACCEPT"},
    KnownReply{MilterReplyCode::kReplaceBody, "SMFIR_REPLBODY", Shape::kBytes},
    KnownReply{MilterReplyCode::kContinue, "SMFIR_CONTINUE"},
    KnownReply{MilterReplyCode::kDiscard, "SMFIR_DISCARD"},
    KnownReply{MilterReplyCode::kChangeSender, "SMFIR_CHGFROM", Shape::kArguments},
    KnownReply{MilterReplyCode::kConnectionFailure, "SMFIR_CONN_FAIL"},
    KnownReply{MilterReplyCode::kAddHeader, "SMFIR_ADDHEADER", Shape::kHeader},
    KnownReply{MilterReplyCode::kInsertHeader, "SMFIR_INSHEADER", Shape::kIndexedHeader},
    KnownReply{MilterReplyCode::kChangeHeader, "SMFIR_CHGHEADER", Shape::kIndexedHeader},
    KnownReply{MilterReplyCode::kNegotiate, "SMFIC_OPTNEG", Shape::kNegotiation},
    KnownReply{MilterReplyCode::kProgress, "SMFIR_PROGRESS"},
    KnownReply{MilterReplyCode::kQuarantine, "SMFIR_QUARANTINE", Shape::kText},
    KnownReply{MilterReplyCode::kReject, "SMFIR_REJECT"},
    KnownReply{MilterReplyCode::kSkip, "SMFIR_SKIP"},
    KnownReply{MilterReplyCode::kTemporaryFailure, "SMFIR_TEMPFAIL"},
    KnownReply{MilterReplyCode::kReplyCode, "SMFIR_REPLYCODE", Shape::kText},
};

const KnownReply* find_reply(MilterReplyCode code) {
  const auto* const found = std::find_if(kReplies.begin(), kReplies.end(),
                                         [code](const KnownReply& known) { return known.code == code; });
  return found == kReplies.end() ? nullptr : found;
}

void put_long(std::string& out, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>((value >> shift) & 0xFF);
}

/// A string ends where it has a NUL in it: nothing else could be said with it.
void put_string(std::string& out, std::string_view text) {
  out += text.substr(0, text.find('\0'));
  out += '\0';
}

std::string packet(MilterCommand command, std::string_view data) {
  std::string out;
  out.reserve(kLongSize + 1 + data.size());
  put_long(out, static_cast<std::uint32_t>(1 + data.size()));
  out += static_cast<char>(command);
  out += data;
  return out;
}

Error syntax_error(std::string message) {
  return {.kind = ErrorKind::kSyntax, .message = std::move(message)};
}

/// Takes values off the front of a packet.
class Unpacker {
 public:
  explicit Unpacker(std::string_view data) : rest_(data) {}

  bool is_at_end() const { return rest_.empty(); }

  Result<std::uint32_t> take_long() {
    if (rest_.size() < kLongSize) return syntax_error("input packet too short for network long");
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < kLongSize; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(kLongSize);
    return value;
  }

  Result<std::string> take_string() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return syntax_error("missing string null terminator");
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }

 private:
  std::string_view rest_;
};

Result<MilterReply> take_arguments(Unpacker data, MilterReply reply) {
  do {
    auto argument = data.take_string();
    if (!argument) return argument.error();
    reply.arguments.push_back(std::move(*argument));
  } while (!data.is_at_end());
  return reply;
}

Result<MilterReply> take_header(Unpacker data, MilterReply reply, bool has_index) {
  if (has_index) {
    const auto index = data.take_long();
    if (!index) return index.error();
    reply.index = *index;
  }
  for (std::string* const text : {&reply.name, &reply.text}) {
    auto taken = data.take_string();
    if (!taken) return taken.error();
    *text = std::move(*taken);
  }
  return reply;
}

Result<MilterReply> take_negotiation(Unpacker data, MilterReply reply) {
  MilterNegotiation& chosen = reply.negotiation;
  for (std::uint32_t* const number : {&chosen.version, &chosen.actions, &chosen.protocol}) {
    const auto taken = data.take_long();
    if (!taken) return taken.error();
    *number = *taken;
  }
  while (!data.is_at_end()) {
    const auto stage = data.take_long();
    if (!stage) return stage.error();
    auto names = data.take_string();
    if (!names) return names.error();
    chosen.macro_lists.emplace_back(*stage, std::move(*names));
  }
  return reply;
}

}  // namespace

std::uint32_t milter_protocol::all(std::uint32_t version) {
  constexpr std::uint32_t kVersion2 =
      kNoConnect | kNoHelo | kNoMail | kNoRecipient | kNoBody | kNoHeader | kNoEndOfHeaders;
  if (version < 3) return kVersion2;
  if (version < 4) return kVersion2 | kNoUnknown;
  if (version < 6) return kVersion2 | kNoUnknown | kNoData;
  return 0x1FFFFF;
}

std::string_view name_of(MilterCommand command) {
  const auto* const found = std::find_if(kCommands.begin(), kCommands.end(),
                                         [command](const auto& known) { return known.code == command; });
  return found == kCommands.end() ? "(unknown command)" : found->name;
}

std::string_view name_of(MilterReplyCode code) {
  const KnownReply* const known = find_reply(code);
  return known == nullptr ? "(unknown filter reply)" : known->name;
}

std::string encode_negotiation(const MilterNegotiation& negotiation) {
  std::string data;
  for (const std::uint32_t number : {negotiation.version, negotiation.actions, negotiation.protocol})
    put_long(data, number);
  return packet(MilterCommand::kNegotiate, data);
}

std::string encode_macros(MilterCommand command, const MilterMacros& macros) {
  std::string data(1, static_cast<char>(command));
  for (const auto& [name, value] : macros) {
    put_string(data, name);
    put_string(data, value);
  }
  return packet(MilterCommand::kMacros, data);
}

std::string encode_connect(std::string_view client_name, MilterFamily family, std::uint16_t port,
                           std::string_view address) {
  std::string data;
  put_string(data, client_name);
  data += static_cast<char>(family);
  if (family != MilterFamily::kUnknown) {
    data += static_cast<char>(port >> 8);
    data += static_cast<char>(port & 0xFF);
    put_string(data, address);
  }
  return packet(MilterCommand::kConnect, data);
}

std::string encode_helo(std::string_view name) {
  std::string data;
  put_string(data, name);
  return packet(MilterCommand::kHelo, data);
}

std::string encode_envelope(MilterCommand command, std::span<const std::string> arguments) {
  std::string data;
  for (const std::string& argument : arguments) put_string(data, argument);
  return packet(command, data);
}

std::string encode_unknown(std::string_view line) {
  std::string data;
  put_string(data, line);
  return packet(MilterCommand::kUnknown, data);
}

std::string encode_header(std::string_view name, std::string_view value) {
  std::string data;
  put_string(data, name);
  put_string(data, value);
  return packet(MilterCommand::kHeader, data);
}

std::string encode_body(std::string_view chunk) { return packet(MilterCommand::kBody, chunk); }

std::string encode_bare(MilterCommand command) { return packet(command, {}); }

Result<MilterReply> decode_milter_reply(std::string_view packet) {
  if (packet.empty()) return syntax_error("empty packet");
  MilterReply reply{.code = static_cast<MilterReplyCode>(packet[0])};
  packet.remove_prefix(1);
  const KnownReply* const known = find_reply(reply.code);
  const Unpacker data(packet);
  switch (known == nullptr ? Shape::kNothing : known->shape) {
    case Shape::kNothing:
      break;
    case Shape::kText:
      reply.text = packet.substr(0, packet.find('\0'));
      break;
    case Shape::kBytes:
      reply.text = packet;
      break;
    case Shape::kArguments:
      return take_arguments(data, std::move(reply));
    case Shape::kHeader:
      return take_header(data, std::move(reply), false);
    case Shape::kIndexedHeader:
      return take_header(data, std::move(reply), true);
    case Shape::kNegotiation:
      return take_negotiation(data, std::move(reply));
  }
  return reply;
}

Result<std::optional<MilterReply>> MilterPacketReader::next() {
  if (buffer_.size() < kLongSize) return std::optional<MilterReply>();
  const std::size_t length = *Unpacker(buffer_).take_long();
  if (length == 0 || length > kMaximalPacket)
    return syntax_error("unreasonable packet length: " + std::to_string(length));
  if (buffer_.size() - kLongSize < length) return std::optional<MilterReply>();
  auto reply = decode_milter_reply(std::string_view(buffer_).substr(kLongSize, length));
  buffer_.erase(0, kLongSize + length);
  if (!reply) return reply.error();
  return std::optional<MilterReply>(std::move(*reply));
}

}  // namespace mta
