#include "tools/mta/queue/listing_protocol.h"

#include <array>
#include <charconv>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::string_view kNull{"\0", 1};
constexpr std::string_view kSource = "public/showq socket";

Error malformed(std::string message) {
  return {.kind = ErrorKind::kDataCorrupt, .message = std::move(message)};
}

void append(std::string& out, std::string_view name, std::string_view value) {
  out += concat(name, kNull, value.substr(0, value.find('\0')), kNull);
}

/// The attributes of one message.
class Attributes {
 public:
  explicit Attributes(std::string_view text) : text_(text) {}

  bool is_empty() const { return text_.empty(); }

  Result<std::string> text(std::string_view name) {
    if (text_.empty()) return malformed(concat("missing attribute ", name, " in input from ", kSource));
    const std::string_view found = word();
    if (found != name)
      return malformed(concat("unexpected attribute ", found, " from ", kSource, " (expecting: ", name, ")"));
    return std::string(word());
  }

  Result<std::int64_t> number(std::string_view name) {
    const Result<std::string> value = text(name);
    if (!value) return value.error();
    std::int64_t number = 0;
    const char* const last = value->data() + value->size();
    const auto [end, failure] = std::from_chars(value->data(), last, number);
    if (failure == std::errc() && end == last) return number;
    return malformed(
        concat("malformed numerical data from ", kSource, " while reading input attribute value: ", *value));
  }

 private:
  std::string_view word() {
    const std::size_t end = text_.find('\0');
    const std::string_view found = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    return found;
  }

  std::string_view text_;
};

/// Where the message ends that starts at `start`: behind the last of its words. Nothing when it is not all
/// there; `at` is where the next word starts then.
std::optional<std::size_t> find_end(std::string_view text, std::size_t start, std::size_t& at) {
  at = std::max(at, start);
  // Names and values take turns; only a name that is empty is the end.
  for (;;) {
    if (at == text.size()) return std::nullopt;
    if (text[at] == '\0') return at;
    const std::size_t name_end = text.find('\0', at);
    if (name_end == std::string_view::npos) return std::nullopt;
    const std::size_t value_end = text.find('\0', name_end + 1);
    if (value_end == std::string_view::npos) return std::nullopt;
    at = value_end + 1;
  }
}

Result<ListedMessage> read_message(Attributes attributes) {
  ListedMessage message;
  Result<std::string> queue = attributes.text("queue_name");
  if (!queue) return queue.error();
  Result<std::string> id = attributes.text("queue_id");
  if (!id) return id.error();
  const Result<std::int64_t> time = attributes.number("time");
  if (!time) return time.error();
  const Result<std::int64_t> size = attributes.number("size");
  if (!size) return size.error();
  const Result<std::int64_t> expires = attributes.number("forced_expire");
  if (!expires) return expires.error();
  Result<std::string> sender = attributes.text("sender");
  if (!sender) return sender.error();
  while (!attributes.is_empty()) {
    Result<std::string> address = attributes.text("recipient");
    if (!address) return address.error();
    Result<std::string> reason = attributes.text("reason");
    if (!reason) return reason.error();
    message.recipients.push_back({std::move(*address), std::move(*reason)});
  }
  message.queue = std::move(*queue);
  message.id = std::move(*id);
  message.arrival_time = *time;
  message.size = *size;
  message.is_forced_to_expire = *expires != 0;
  message.sender = std::move(*sender);
  return message;
}

}  // namespace

std::string format_listed_message(const ListedMessage& message) {
  std::string out;
  append(out, "queue_name", message.queue);
  append(out, "queue_id", message.id);
  append(out, "time", std::to_string(message.arrival_time));
  append(out, "size", std::to_string(message.size));
  append(out, "forced_expire", message.is_forced_to_expire ? "1" : "0");
  append(out, "sender", message.sender);
  for (const ListedRecipient& recipient : message.recipients) {
    append(out, "recipient", recipient.address);
    append(out, "reason", recipient.reason);
  }
  return out += kNull;
}

void ListingReader::feed(std::string_view bytes) {
  buffer_.erase(0, start_);
  scanned_ -= start_;
  start_ = 0;
  buffer_ += bytes;
}

Result<std::optional<ListedMessage>> ListingReader::next() {
  for (;;) {
    if (is_at_end_) return std::nullopt;
    const std::optional<std::size_t> end = find_end(buffer_, start_, scanned_);
    if (!end) return std::nullopt;
    const std::string_view text = std::string_view(buffer_).substr(start_, *end - start_);
    start_ = scanned_ = *end + 1;
    if (!has_greeting_) {
      const Result<std::string> protocol = Attributes(text).text("protocol");
      if (!protocol) return protocol.error();
      if (*protocol != "mail_queue_list_protocol") return malformed("");
      has_greeting_ = true;
    } else if (text.empty()) {
      is_at_end_ = true;
    } else {
      Result<ListedMessage> message = read_message(Attributes(text));
      if (!message) return message.error();
      return std::move(*message);
    }
  }
}

}  // namespace mta
