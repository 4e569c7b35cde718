#include "tools/mta/access/access_action.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "libconf/text.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::equals_ignoring_case;

/// What the text behind a word must be.
enum class Text : std::uint8_t {
  kUnused,   ///< Nothing is made of it.
  kAny,      ///< Kept as it is.
  kReason,   ///< Perhaps a status code, then any text.
  kFilter,   ///< transport:destination
  kAddress,  ///< user@domain
  kHeader,   ///< name: text
};

struct Word {
  std::string_view name;
  ActionKind kind;
  Text text;
};

constexpr std::array kWords = {
    Word{"BCC", ActionKind::kBcc, Text::kAddress},
    Word{"DEFER", ActionKind::kDefer, Text::kReason},
    Word{"DEFER_IF_PERMIT", ActionKind::kDeferIfPermit, Text::kReason},
    Word{"DEFER_IF_REJECT", ActionKind::kDeferIfReject, Text::kReason},
    Word{"DISCARD", ActionKind::kDiscard, Text::kAny},
    Word{"DUNNO", ActionKind::kDunno, Text::kUnused},
    Word{"FILTER", ActionKind::kFilter, Text::kFilter},
    Word{"HOLD", ActionKind::kHold, Text::kAny},
    Word{"INFO", ActionKind::kInfo, Text::kAny},
    Word{"OK", ActionKind::kOk, Text::kUnused},
    Word{"PREPEND", ActionKind::kPrepend, Text::kHeader},
    Word{"REDIRECT", ActionKind::kRedirect, Text::kAddress},
    Word{"REJECT", ActionKind::kReject, Text::kReason},
    // What Postfix takes from tables that were made for another mail server.
    Word{"RELAY", ActionKind::kOk, Text::kUnused},
    Word{"WARN", ActionKind::kWarn, Text::kAny},
};

const Word* find_word(std::string_view name) {
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const Word& word) { return equals_ignoring_case(word.name, name); });
  return found == kWords.end() ? nullptr : &*found;
}

/// "name:", the name of printable characters without a blank (RFC 5322, 2.2).
bool is_header(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = text.substr(0, colon);
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

/// What is wrong with `text`; empty: nothing.
std::string_view text_fault(Text rule, std::string_view text) {
  switch (rule) {
    case Text::kFilter:
      if (text.empty()) return "has FILTER entry without value";
      return text.find(':') == std::string_view::npos ? "requires transport:destination" : "";
    case Text::kAddress:
      return text.find('@') == std::string_view::npos ? "requires user@domain target" : "";
    case Text::kHeader:
      return is_header(text) ? "" : "requires header: text";
    default:
      return "";
  }
}

void take_reason(std::string_view text, AccessAction& action) {
  const std::size_t length = status_length(text);
  action.status = text.substr(0, length);
  action.text = length == 0 ? text : libconf::trim_left(text.substr(length));
}

/// A reply code that an entry may give: 4NN or 5NN. 0: the word is none.
int reply_code(std::string_view word) {
  if (word.size() != 3 || (word[0] != '4' && word[0] != '5') || !libconf::is_all_digits(word)) return 0;
  int code = 0;
  std::from_chars(word.data(), word.data() + word.size(), code);
  return code;
}

/// The number behind x.1 in a status, as it is for the other side of the mail (access(5)); -1: it may stay.
int mapped_detail(int detail, StatusSubject subject) {
  constexpr std::array kForSender = {-1, 7, 8, 7, 7, 0, 7, -1, -1};
  constexpr std::array kForRecipient = {-1, -1, -1, -1, -1, -1, -1, 3, 2};
  const auto& map = subject == StatusSubject::kSender ? kForSender : kForRecipient;
  const auto index = static_cast<std::size_t>(detail);
  return index < map.size() ? map[index] : 0;
}

}  // namespace

AccessAction parse_access_action(std::string_view value, std::string_view table, std::string_view key) {
  AccessAction action;
  std::string_view rest = libconf::trim(value);
  if (rest.empty()) {
    action.kind = ActionKind::kOk;
    action.warning = concat("access table ", table, " entry ", key, " has empty value");
    return action;
  }
  if (libconf::is_all_digits(rest)) {
    action.kind = ActionKind::kOk;
    return action;
  }
  const std::string_view all = rest;
  const std::string_view name = libconf::next_word(rest, libconf::kBlanks).value_or("");
  rest = libconf::trim_left(rest);
  if (const int code = reply_code(name); code != 0) {
    action.kind = code < 500 ? ActionKind::kDefer : ActionKind::kReject;
    action.code = code;
    take_reason(rest, action);
    return action;
  }
  const Word* word = find_word(name);
  if (word == nullptr) {
    action.kind = ActionKind::kRestrictions;
    action.text = all;
    return action;
  }
  action.kind = word->kind;
  if (const std::string_view fault = text_fault(word->text, rest); !fault.empty()) {
    action.kind = ActionKind::kIgnored;
    action.warning = concat("access table ", table, " entry \"", key, "\" ", fault);
  } else if (word->text == Text::kReason) {
    take_reason(rest, action);
  } else if (word->text != Text::kUnused) {
    action.text = rest;
  }
  return action;
}

std::string fitting_status(std::string_view status, int code, StatusSubject subject) {
  std::string fitting(status);
  fitting[0] = static_cast<char>('0' + code / 100);
  if (!fitting.substr(1).starts_with(".1.")) return fitting;
  if (subject == StatusSubject::kOther) return concat(fitting.substr(0, 1), ".0.0");
  constexpr std::size_t kDetail = 4;
  int detail = 0;
  std::from_chars(fitting.data() + kDetail, fitting.data() + fitting.size(), detail);
  const int mapped = mapped_detail(detail, subject);
  return mapped < 0 ? fitting : concat(fitting.substr(0, kDetail), std::to_string(mapped));
}

}  // namespace mta
