#include "tools/mta/queue/delay_log.h"

#include <algorithm>
#include <utility>

namespace mta {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// One entry while it is read; views of its text.
class Entry {
 public:
  void take(std::string_view line) {
    line = line.substr(0, line.find('\0'));
    if (line.starts_with('<')) {
      take_sentence(line);
    } else if (!line.empty() && kBlanks.find(line.front()) == std::string_view::npos) {
      take_fact(line);
    }
  }

  DelayedRecipient finish() {
    return {.address = std::move(address_),
            .reason = reason_.empty() ? "(description unavailable)" : std::move(reason_)};
  }

 private:
  void set_address(std::string_view address) { address_ = address.empty() ? "(MAILER-DAEMON)" : address; }

  /// "<ADDRESS>: REASON", for people, and for programs older than the other lines.
  void take_sentence(std::string_view line) {
    const std::size_t end = line.find(">: ");
    if (end == std::string_view::npos) return;
    set_address(line.substr(1, end - 1));
    reason_ = trim(line.substr(end + 3));
  }

  void take_fact(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view name = trim(line.substr(0, equals));
    const std::string_view value = trim(line.substr(equals + 1));
    if (name == "recipient") set_address(value);
    if (name == "reason") reason_ = value;
  }

  std::string address_ = "(recipient address unavailable)";
  std::string reason_;
};

}  // namespace

std::vector<DelayedRecipient> parse_delay_log(std::string_view text) {
  std::vector<DelayedRecipient> found;
  Entry entry;
  bool is_inside = false;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) {
      is_inside = true;
      entry.take(line);
    } else if (std::exchange(is_inside, false)) {
      found.push_back(std::exchange(entry, Entry()).finish());
    }
  }
  return found;
}

}  // namespace mta
