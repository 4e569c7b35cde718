/// What deliver_as(8) is asked, and what it answers: one packet each. Both sides are of one build, so there
/// is no version; but the side with privileges believes nothing that it reads.
///
///     std::string packet = encode(ActionHeader{.kind = ActionKind::kRead, .user = 1000, .group = 1000});
///     packet += encode_path("/home/ann/.forward");
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// The longest request, in bytes.
constexpr std::size_t kLongestAction = std::size_t{128} << 10;
/// The longest answer, in bytes; what a file says may be as long.
constexpr std::size_t kLongestAnswer = std::size_t{1} << 20;
/// What is kept of the output of a command, in bytes.
constexpr std::size_t kLongestOutput = 4096;
constexpr std::size_t kLongestFile = kLongestAnswer / 2;

enum class ActionKind : std::uint32_t { kDeliver = 1, kRun = 2, kRead = 3 };

/// All that is looked at with privileges.
struct ActionHeader {
  ActionKind kind = ActionKind::kRead;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint32_t root = 0;  ///< CommandRun::root
};

constexpr std::size_t kActionHeaderSize = 4 * sizeof(std::uint32_t);

std::string encode(const ActionHeader& header);
/// Takes it off the front of `packet`. Nothing: it is none.
std::optional<ActionHeader> decode_header(std::string_view& packet);

std::string encode(const MailboxDelivery& delivery);
std::string encode(const CommandRun& command);  ///< But for `root`, which is in the header.
std::string encode(const ActionResult& result);
std::string encode(const CommandResult& result);
std::string encode(const FileText& text);
std::string encode_path(std::string_view path);

/// Nothing: the bytes are something else. What comes back is a value that encode() gives these bytes for.
std::optional<MailboxDelivery> decode_delivery(std::string_view bytes);
std::optional<CommandRun> decode_command(std::string_view bytes);
std::optional<ActionResult> decode_result(std::string_view bytes);
std::optional<CommandResult> decode_command_result(std::string_view bytes);
std::optional<FileText> decode_text(std::string_view bytes);
std::optional<std::string> decode_path(std::string_view bytes);

}  // namespace mta
