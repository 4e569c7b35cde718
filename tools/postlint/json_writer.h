/// Writes JSON (RFC 8259), a piece at a time.
///
///     JsonWriter json;
///     json.begin_object();
///     json.member("line", 12);
///     json.end_object();
///     use(json.text());  // {"line":12}
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "libconf/text.h"

namespace postlint {

/// REQUIRES: what is begun is ended, and members stand in objects.
class JsonWriter {
 public:
  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

  /// The name of the member whose value comes next.
  void key(std::string_view name) {
    separate();
    text_ += libconf::json_quote(name);
    text_ += ':';
    has_key_ = true;
  }

  void value(std::string_view text) {
    separate();
    text_ += libconf::json_quote(text);
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::same_as<bool> auto flag) {
    separate();
    text_ += flag ? "true" : "false";
  }
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) void value(Number number) {
    separate();
    text_ += std::to_string(number);
  }

  void member(std::string_view name, const auto& content) {
    key(name);
    value(content);
  }

  const std::string& text() const { return text_; }

 private:
  void begin(char bracket) {
    separate();
    text_ += bracket;
  }
  void end(char bracket) { text_ += bracket; }
  void separate() {
    if (!has_key_ && !text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ',';
    has_key_ = false;
  }

  std::string text_;
  bool has_key_ = false;
};

}  // namespace postlint
