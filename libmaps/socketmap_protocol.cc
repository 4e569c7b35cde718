#include "libmaps/socketmap_protocol.h"

#include "libconf/text.h"

namespace libmaps {

using libconf::concat;

std::string netstring(std::string_view payload) {
  return concat(std::to_string(payload.size()), ":", payload, ",");
}

NetstringScan scan_netstring(std::string_view text, std::size_t limit) {
  using State = NetstringScan::State;
  // Zeros in front are harmless, but not without end.
  constexpr std::size_t kMaxDigits = 20;
  std::size_t size = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    if (i == kMaxDigits) return {State::kMalformed};
    size = 10 * size + static_cast<std::size_t>(text[i] - '0');
    if (size > limit) return {State::kTooLong};
  }
  if (i == text.size()) return {State::kIncomplete};
  if (i == 0 || text[i] != ':') return {State::kMalformed};
  const std::string_view rest = text.substr(i + 1);
  if (rest.size() <= size) return {State::kIncomplete};
  if (rest[size] != ',') return {State::kMalformed};
  return {State::kComplete, rest.substr(0, size), i + 1 + size + 1};
}

SocketmapReply parse_socketmap_reply(std::string_view payload) {
  using Status = SocketmapReply::Status;
  static constexpr struct {
    std::string_view word;
    Status status;
  } kStatuses[] = {{"OK", Status::kOk},
                   {"NOTFOUND", Status::kNotFound},
                   {"TEMP", Status::kTemporary},
                   {"TIMEOUT", Status::kTimeout},
                   {"PERM", Status::kPermanent}};
  const std::size_t space = payload.find(' ');
  const std::string_view word = payload.substr(0, space);
  SocketmapReply reply{.text = space == std::string_view::npos ? "" : payload.substr(space + 1)};
  for (const auto& known : kStatuses)
    if (word == known.word) reply.status = known.status;
  return reply;
}

}  // namespace libmaps
