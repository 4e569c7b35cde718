// Replies that tables give (smtpd_reject_filter_maps), and what the log shows of a client's bytes: what is
// read is printed as it was, and what is escaped can be read back.
#include <string>

#include "tests/fuzz/property.h"
#include "tools/mta/smtp/reject_replies.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const std::string escaped = mta::escape(text);
  require(mta::unescape(escaped) == text, "escape() loses nothing");
  for (const char c : escaped) require(c >= ' ' && c <= '~', "what is escaped can be printed");
  const std::optional<mta::Reply> reply = mta::parse_refusal(text);
  if (!reply) return 0;
  require(reply->is_error(), "a refusal refuses");
  require(!reply->text().empty(), "a refusal says something");
  const std::optional<mta::Reply> again = mta::parse_refusal(reply->to_string());
  // A newline becomes a space.
  if (text.find('\n') == std::string_view::npos) require(again == reply, "a reply is printed as it was read");
  const mta::Reply soft = mta::softened(*reply);
  require(soft.code() < 500 && mta::softened(soft) == soft, "softened once and for all");
  return 0;
}
