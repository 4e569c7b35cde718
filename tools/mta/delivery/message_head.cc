#include "tools/mta/delivery/message_head.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::string_view kDeliveredTo = "Delivered-To:";

/// An address must not become two lines.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char each) { return each == '\n' || each == '\r' || each == '\0'; }, '?');
  return line;
}

bool is_header(std::string_view line) {
  const bool is_continuation = line.starts_with(' ') || line.starts_with('\t');
  return is_continuation || line.find(':') != std::string_view::npos;
}

}  // namespace

std::string mailbox_separator(std::string_view sender, std::time_t time) {
  std::tm parts{};
  ::localtime_r(&time, &parts);
  std::array<char, 64> date{};
  std::strftime(date.data(), date.size(), "%a %b %e %H:%M:%S %Y", &parts);
  const std::string name = sender.empty() ? "MAILER-DAEMON" : one_line(sender);
  return concat("From ", name, "  ", date.data(), "\n");
}

std::string return_path(std::string_view sender) { return concat("Return-Path: <", one_line(sender), ">\n"); }

std::string original_to(std::string_view recipient) {
  if (recipient.empty()) return {};
  return concat("X-Original-To: ", one_line(quote_address(recipient)), "\n");
}

std::string delivered_to(std::string_view recipient) {
  return concat("Delivered-To: ", one_line(quote_address(recipient)), "\n");
}

bool MessageStart::was_delivered_to(std::string_view recipient) const {
  const std::string external = quote_address(recipient);
  return std::any_of(delivered_to.begin(), delivered_to.end(),
                     [&](const std::string& each) { return libconf::equals_ignoring_case(each, external); });
}

Result<MessageStart> read_message_start(int message, const std::string& queue_id) {
  Result<QueueFileReader> reader = QueueFileReader::open(message, queue_id);
  if (!reader) return reader.error();
  MessageStart start;
  for (;;) {
    const auto record = reader->next();
    if (!record) return record.error();
    if (!*record)
      return libconf::Error{.kind = libconf::ErrorKind::kDataCorrupt,
                            .message = concat(queue_id, ": there is no message in it")};
    if ((*record)->type == RecordType::kContent) break;
  }
  start.content_offset = reader->position();
  bool is_at_start = true;
  for (;;) {
    const auto record = reader->next();
    if (!record) return record.error();
    if (!*record) break;
    const std::string_view text = (*record)->payload;
    const bool ends_line = (*record)->type == RecordType::kLine;
    if (!ends_line && (*record)->type != RecordType::kPartialLine) break;
    if (is_at_start && (text.empty() || !is_header(text))) break;
    // As Postfix, it looks at the first line of the header only.
    if (is_at_start && libconf::equals_ignoring_case(text.substr(0, kDeliveredTo.size()), kDeliveredTo))
      start.delivered_to.emplace_back(libconf::trim(text.substr(kDeliveredTo.size())));
    is_at_start = ends_line;
  }
  return start;
}

}  // namespace mta
