#include "tools/mta/smtp/command.h"

#include <algorithm>

#include "libconf/text.h"

namespace mta {

namespace {

using libconf::equals_ignoring_case;

static_assert(std::is_sorted(kCommands.begin(), kCommands.end(),
                             [](const Command& a, const Command& b) { return a.verb < b.verb; }));

/// Takes the word at the start of `rest`, which has no white space in front.
CommandWord take_word(std::string_view& rest) {
  std::size_t depth = 0;
  bool is_quoted = false;
  std::size_t length = 0;
  for (; length < rest.size(); ++length) {
    const char c = rest[length];
    if (c == '\\') {
      if (length + 1 < rest.size()) ++length;
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (is_quoted) {
      continue;
    } else if (c == '<') {
      ++depth;
    } else if (c == '>') {
      if (depth > 0) --depth;
    } else if (libconf::is_space(c) && depth == 0) {
      break;
    }
  }
  const CommandWord word{rest.substr(0, length), is_quoted || depth > 0};
  rest.remove_prefix(length);
  return word;
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// The keyword that the first argument of `name` starts with; empty: it has none.
std::string_view keyword_of(std::string_view name) {
  if (equals_ignoring_case(name, "MAIL")) return "FROM:";
  if (equals_ignoring_case(name, "RCPT")) return "TO:";
  return {};
}

}  // namespace

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(), [name](const Command& command) {
    return equals_ignoring_case(name, command.name);
  });
  return found == kCommands.end() ? nullptr : &*found;
}

CommandLine::CommandLine(std::string_view text) {
  for (std::string_view rest = libconf::trim_left(text); !rest.empty(); rest = libconf::trim_left(rest)) {
    if (words_.size() == 1) {
      const std::string_view keyword = keyword_of(name());
      if (!keyword.empty() && starts_ignoring_case(rest, keyword)) {
        words_.push_back({rest.substr(0, keyword.size())});
        rest.remove_prefix(keyword.size());
        continue;
      }
    }
    words_.push_back(take_word(rest));
  }
}

std::string CommandLine::join(std::size_t first, std::size_t last) const {
  std::string out;
  for (std::size_t i = first; i < last; ++i) {
    if (i > first) out += ' ';
    out += words_[i].text;
  }
  return out;
}

bool CommandLine::is_message_header() const {
  const auto is_label_char = [](char c) { return c > ' ' && c <= '~' && c != ':'; };
  const std::string_view word = name();
  const auto end = std::find_if_not(word.begin(), word.end(), is_label_char);
  const std::string_view rest = libconf::trim_left(word.substr(static_cast<std::size_t>(end - word.begin())));
  return end != word.begin() && rest.starts_with(':');
}

}  // namespace mta
