#include "tools/mta/queue/notice_log.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

struct TextFact {
  std::string_view name;
  std::string NoticeEntry::*value;
};

/// Those that are texts and may be missing.
constexpr TextFact kOriginal = {"original_recipient", &NoticeEntry::original};
constexpr TextFact kDsnOriginal = {"dsn_orig_rcpt", &NoticeEntry::dsn_original};
constexpr TextFact kResult[] = {
    {"status", &NoticeEntry::status},
    {"action", &NoticeEntry::action},
    {"diag_type", &NoticeEntry::diagnostic_type},
    {"diag_text", &NoticeEntry::diagnostic},
    {"mta_type", &NoticeEntry::server_type},
    {"mta_mname", &NoticeEntry::server},
    {"reason", &NoticeEntry::reason},
};

template <class Number>
void take_number(std::string_view text, Number& number) {
  std::from_chars(text.data(), text.data() + text.size(), number);
}

/// One entry while it is read.
class Reader {
 public:
  void take(std::string_view line) {
    line = line.substr(0, line.find('\0'));
    if (line.starts_with('<')) {
      take_sentence(line);
    } else if (!line.empty() && kBlanks.find(line.front()) == std::string_view::npos) {
      take_fact(line);
    }
  }

  NoticeEntry finish() {
    if (entry_.reason.empty()) entry_.reason = "(description unavailable)";
    return std::move(entry_);
  }

 private:
  void set_address(std::string_view text) {
    const std::string_view address = trim(text);
    entry_.address = address.empty() ? "(MAILER-DAEMON)" : address;
  }

  /// "<ADDRESS>: REASON", for people, and for programs older than the other lines.
  void take_sentence(std::string_view line) {
    const std::size_t end = line.find(">: ");
    if (end == std::string_view::npos) return;
    set_address(line.substr(1, end - 1));
    entry_.reason = trim(line.substr(end + 3));
  }

  void take_fact(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view name = trim(line.substr(0, equals));
    const std::string_view value = trim(line.substr(equals + 1));
    if (name == "recipient") set_address(value);
    if (name == "offset") take_number(value, entry_.offset);
    if (name == "notify_flags") take_number(value, entry_.notify);
    const auto take_text = [&](const TextFact& fact) {
      if (fact.name == name) entry_.*fact.value = value;
    };
    take_text(kOriginal);
    take_text(kDsnOriginal);
    std::for_each(std::begin(kResult), std::end(kResult), take_text);
  }

  NoticeEntry entry_{.address = "(recipient address unavailable)"};
};

}  // namespace

std::string format_notice_entry(const NoticeEntry& entry, bool has_sentence) {
  std::string out = "\n";
  const auto put = [&out](std::string_view name, std::string_view value) {
    out += concat(name, "=", libconf::printable_utf8(value), "\n");
  };
  const auto put_text = [&](const TextFact& fact) {
    if (!(entry.*fact.value).empty()) put(fact.name, entry.*fact.value);
  };
  if (has_sentence)
    out += concat(libconf::printable_utf8(concat("<", entry.address, ">: ", entry.reason)), "\n");
  put("recipient", entry.address);
  put_text(kOriginal);
  if (entry.offset > 0) put("offset", std::to_string(entry.offset));
  put_text(kDsnOriginal);
  if (entry.notify != 0) put("notify_flags", std::to_string(entry.notify));
  std::for_each(std::begin(kResult), std::end(kResult), put_text);
  return out + "\n";
}

std::vector<NoticeEntry> parse_notice_log(std::string_view text) {
  std::vector<NoticeEntry> found;
  Reader entry;
  bool is_inside = false;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) {
      is_inside = true;
      entry.take(line);
    } else if (std::exchange(is_inside, false)) {
      found.push_back(std::exchange(entry, Reader()).finish());
    }
  }
  return found;
}

}  // namespace mta
