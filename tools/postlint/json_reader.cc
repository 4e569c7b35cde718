#include "tools/postlint/json_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "libconf/text.h"

namespace postlint {
namespace {

using libconf::concat;
using libconf::Result;

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  const auto tail = [&](int shift) { byte(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    tail(6);
  } else {
    byte(0xF0 | (code >> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  /// False: fault() says why.
  bool parse(JsonValue& out) {
    if (!parse_value(out, 0)) return false;
    skip_blanks();
    return at_ == text_.size() || fail("text behind the value");
  }

  std::string_view fault() const { return fault_; }
  std::size_t line() const {
    return 1 + static_cast<std::size_t>(
                   std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
  }

 private:
  static constexpr int kMaxDepth = 64;

  bool fail(std::string_view why) {
    if (fault_.empty()) fault_ = why;
    return false;
  }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool parse_value(JsonValue& out, int depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    if (take('{')) return parse_object(out, depth);
    if (take('[')) return parse_array(out, depth);
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') {
      std::string text;
      if (!parse_string(text)) return false;
      out = JsonValue(std::move(text));
    } else if (take_word("true")) {
      out = JsonValue(true);
    } else if (take_word("false")) {
      out = JsonValue(false);
    } else if (take_word("null")) {
      out = JsonValue();
    } else {
      return parse_number(out);
    }
    return true;
  }

  bool parse_object(JsonValue& out, int depth) {
    JsonValue::Object members;
    if (!take('}')) {
      do {
        skip_blanks();
        std::string name;
        if (!parse_string(name)) return false;
        if (!take(':')) return fail("no ':' behind a name");
        if (!parse_value(members[std::move(name)], depth + 1)) return false;
      } while (take(','));
      if (!take('}')) return fail("no '}'");
    }
    out = JsonValue(std::move(members));
    return true;
  }

  bool parse_array(JsonValue& out, int depth) {
    JsonValue::Array items;
    if (!take(']')) {
      do {
        if (!parse_value(items.emplace_back(), depth + 1)) return false;
      } while (take(','));
      if (!take(']')) return fail("no ']'");
    }
    out = JsonValue(std::move(items));
    return true;
  }

  bool parse_number(JsonValue& out) {
    // from_chars() takes more than JSON has, such as "inf".
    const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    double number = 0;
    const auto [stop, error] = std::from_chars(text_.data() + at_, text_.data() + end, number);
    if (end == at_ || error != std::errc() || stop != text_.data() + end) return fail("no value");
    at_ = end;
    out = JsonValue(number);
    return true;
  }

  bool parse_string(std::string& out) {
    if (at_ == text_.size() || text_[at_] != '"') return fail("no string");
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < ' ') return fail("a control character in a string");
      if (c != '\\')
        out += c;
      else if (!parse_escape(out))
        return false;
    }
    if (at_ == text_.size()) return fail("a string without an end");
    ++at_;
    return true;
  }

  bool parse_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (const std::size_t index = kLetters.find(c); index != std::string_view::npos) {
      out += kMeanings[index];
      return true;
    }
    std::optional<std::uint32_t> code = c == 'u' ? parse_hex() : std::nullopt;
    if (code && *code >= 0xD800 && *code < 0xDC00 && take_word("\\u")) {
      const std::optional<std::uint32_t> low = parse_hex();
      code = low && *low >= 0xDC00 && *low < 0xE000
                 ? std::optional(0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00))
                 : std::nullopt;
    }
    if (!code || (*code >= 0xD800 && *code < 0xE000)) return fail("a bad escape in a string");
    append_utf8(out, *code);
    return true;
  }

  std::optional<std::uint32_t> parse_hex() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || stop != digits.data() + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view fault_;
};

}  // namespace

const JsonValue* JsonValue::member(std::string_view name) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  const auto found = members->find(name);
  return found == members->end() ? nullptr : &found->second;
}

Result<JsonValue> parse_json(std::string_view text, std::string_view file) {
  Parser parser(text);
  Result<JsonValue> value = JsonValue();
  if (parser.parse(*value)) return value;
  return libconf::Error{
      .kind = libconf::ErrorKind::kSyntax,
      .message = concat(file, ", line ", std::to_string(parser.line()), ": ", parser.fault())};
}

}  // namespace postlint
