#include "libconf/text.h"

#include <algorithm>

#include "libconf/byte_set.h"
#include "libconf/hex.h"

namespace libconf {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

bool is_all_digits(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (c < '0' || c > '9') return false;
  return true;
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_left(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool has_blank(std::string_view text) { return text.find_first_of(kBlanks) != std::string_view::npos; }

std::optional<std::string_view> next_word(std::string_view& rest, std::string_view separators) {
  const ByteSet set(separators);
  const auto* const begin = std::find_if_not(rest.begin(), rest.end(), [&](char c) { return set.has(c); });
  const auto* const end = std::find_if(begin, rest.end(), [&](char c) { return set.has(c); });
  rest = std::string_view(begin, static_cast<std::size_t>(rest.end() - begin));
  if (rest.empty()) return std::nullopt;
  const std::string_view word = rest.substr(0, static_cast<std::size_t>(end - begin));
  rest.remove_prefix(word.size());
  return word;
}

std::optional<std::string_view> next_braced_word(std::string_view& rest, std::string_view separators) {
  const std::size_t begin = rest.find_first_not_of(separators);
  if (begin == std::string_view::npos) {
    rest = {};
    return std::nullopt;
  }
  rest.remove_prefix(begin);
  std::size_t end = 0;
  int depth = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (c == '{')
      ++depth;
    else if (c == '}')
      depth -= depth > 0;
    else if (depth == 0 && separators.find(c) != std::string_view::npos)
      break;
  }
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

std::size_t balanced_length(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

std::string collapse_blanks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (auto word = next_word(text, kBlanks)) {
    if (!out.empty()) out += ' ';
    out += *word;
  }
  return out;
}

NameValueFault split_name_value(std::string_view text, NameValue& out) {
  const std::string_view body = trim_left(text);
  std::size_t end = 0;
  while (end < body.size() && !is_space(body[end]) && body[end] != '=') ++end;
  if (end == 0) return NameValueFault::kMissingName;
  const std::string_view after = trim_left(body.substr(end));
  if (after.empty() || after.front() != '=') return NameValueFault::kMissingEquals;
  out = {body.substr(0, end), trim(after.substr(1))};
  return NameValueFault::kNone;
}

std::string_view describe(NameValueFault fault) {
  switch (fault) {
    case NameValueFault::kMissingName:
      return "missing attribute name";
    case NameValueFault::kMissingEquals:
      return "missing '=' after attribute name";
    case NameValueFault::kNone:
      break;
  }
  return "";
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // The second byte tells overlong forms, surrogates, and what lies above U+10FFFF.
  const unsigned second = byte(1);
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_surrogate = first == 0xED && second > 0x9F;
  return is_overlong || is_surrogate || (first == 0xF4 && second > 0x8F) ? 0 : length;
}

namespace {

void append_json_control(std::string& out, char c) {
  switch (c) {
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  append_hex(out, c);
}

}  // namespace

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const std::size_t length = utf8_length(text.substr(i));
      if (length == 0) {
        out += "\xEF\xBF\xBD";
        ++i;
      } else {
        out += text.substr(i, length);
        i += length;
      }
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      append_json_control(out, c);
    } else {
      out += c;
    }
    ++i;
  }
  out += '"';
  return out;
}

std::string printable(std::string_view text, char replacement) {
  std::string out(text);
  for (char& c : out)
    if (c < ' ' || c > '~') c = replacement;
  return out;
}

std::string printable_utf8(std::string_view text, char replacement) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) -
        text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t length = utf8_length(text);
    out += length > 0 ? std::string(text.substr(0, length)) : printable(text.substr(0, 1), replacement);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string fold(std::string_view head, std::string_view text, std::size_t width, std::size_t indent) {
  std::string out(head);
  std::size_t column = out.size();
  while (auto word = next_word(text, kBlanks)) {
    if (!out.empty()) {
      if (column + 1 + word->size() > width) {
        out += '\n';
        out.append(indent, ' ');
        column = indent;
      } else {
        out += ' ';
        ++column;
      }
    }
    out += *word;
    column += word->size();
  }
  return out;
}

}  // namespace libconf
