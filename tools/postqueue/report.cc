#include "tools/postqueue/report.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "libconf/text.h"

namespace postqueue {
namespace {

using libconf::concat;
using libconf::json_quote;
using mta::ListedMessage;
using mta::ListedRecipient;

/// Of the lines: where reasons end, and where recipients start.
constexpr std::size_t kReasonEnd = 78;
constexpr std::size_t kRecipientStart = 41;

struct Mark {
  std::string_view queue;
  std::string_view text;
};
constexpr std::array kMarks = {Mark{"active", "*"}, Mark{"hold", "!"}};

std::string padding(const std::string& text, std::size_t width) {
  return std::string(width - std::min(text.size(), width), ' ');
}
std::string left(const std::string& text, std::size_t width) { return text + padding(text, width); }
std::string right(const std::string& text, std::size_t width) { return padding(text, width) + text; }

std::string shown_id(const ListedMessage& message) {
  std::string id = message.id;
  for (const Mark& mark : kMarks)
    if (mark.queue == message.queue) id += mark.text;
  return message.is_forced_to_expire ? id + '#' : id;
}

std::string shown_time(std::int64_t seconds) {
  const auto time = static_cast<time_t>(seconds);
  tm parts{};
  std::array<char, 64> text{};
  if (::localtime_r(&time, &parts) == nullptr) return std::string(19, '?');
  std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S", &parts);
  return text.data();
}

class ClassicReport final : public Report {
 public:
  explicit ClassicReport(bool shows_utf8) : Report(shows_utf8) {}

  std::string show(const ListedMessage& message) override {
    // The blank line is what parts two messages: a list that breaks off does not end with one.
    std::string out =
        count_++ > 0 ? "\n" : "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";
    size_ += message.size;
    out += concat(left(shown_id(message), 11), " ", right(std::to_string(message.size), 7), " ",
                  shown_time(message.arrival_time), "  ", shown(message.sender), "\n");
    const std::string* reason = nullptr;
    for (const ListedRecipient& recipient : message.recipients) {
      if (reason == nullptr ? !recipient.reason.empty() : *reason != recipient.reason)
        out += right(concat("(", shown_reason(recipient.reason), ")"), kReasonEnd) + '\n';
      reason = &recipient.reason;
      out += concat(std::string(kRecipientStart, ' '), shown(recipient.address), "\n");
    }
    return out;
  }

  std::string finish() override {
    if (count_ == 0) return "Mail queue is empty\n";
    return concat("\n-- ", std::to_string(size_ / 1024), " Kbytes in ", std::to_string(count_), " Request",
                  count_ == 1 ? "" : "s", ".\n");
  }

 private:
  std::string shown_reason(const std::string& reason) const {
    return reason.empty() ? "reason unavailable" : shown(reason);
  }

  std::int64_t size_ = 0;
  std::int64_t count_ = 0;
};

class JsonReport final : public Report {
 public:
  explicit JsonReport(bool shows_utf8) : Report(shows_utf8) {}

  std::string show(const ListedMessage& message) override {
    std::string out =
        concat("{\"queue_name\": ", quoted(message.queue), ", \"queue_id\": ", quoted(message.id),
               ", \"arrival_time\": ", std::to_string(message.arrival_time),
               ", \"message_size\": ", std::to_string(message.size),
               ", \"forced_expire\": ", message.is_forced_to_expire ? "true" : "false",
               ", \"sender\": ", quoted(message.sender), ", \"recipients\": [");
    for (const ListedRecipient& recipient : message.recipients) {
      if (&recipient != message.recipients.data()) out += ", ";
      out += concat("{\"address\": ", quoted(recipient.address));
      if (!recipient.reason.empty()) out += concat(", \"delay_reason\": ", quoted(recipient.reason));
      out += '}';
    }
    return out + "]}\n";
  }

  std::string finish() override { return {}; }

 private:
  std::string quoted(const std::string& text) const { return json_quote(shown(text)); }
};

}  // namespace

std::string Report::shown(const std::string& text) const {
  return shows_utf8_ ? libconf::printable_utf8(text) : libconf::printable(text);
}

std::unique_ptr<Report> Report::make(Form form, bool shows_utf8) {
  if (form == Form::kJson) return std::make_unique<JsonReport>(shows_utf8);
  return std::make_unique<ClassicReport>(shows_utf8);
}

}  // namespace postqueue
