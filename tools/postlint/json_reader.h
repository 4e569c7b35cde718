/// Reads JSON (RFC 8259), for the settings of the auditor.
///
///     Result<JsonValue> value = parse_json(text, ".postlint.json");
///     if (const JsonValue* level = value->member("fail_level")) use(level->string());
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/result.h"

namespace postlint {

/// A value type. Objects keep the last of several members with one name.
class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::map<std::string, JsonValue, std::less<>>;

  JsonValue() = default;  ///< null
  explicit JsonValue(bool flag) : kind_(Kind::kBoolean), boolean_(flag) {}
  explicit JsonValue(double number) : kind_(Kind::kNumber), number_(number) {}
  explicit JsonValue(std::string text) : kind_(Kind::kString), string_(std::move(text)) {}
  explicit JsonValue(Array items) : kind_(Kind::kArray), array_(std::move(items)) {}
  explicit JsonValue(Object members) : kind_(Kind::kObject), object_(std::move(members)) {}

  /// The content, or nullptr where the value is of another kind.
  const bool* boolean() const { return kind_ == Kind::kBoolean ? &boolean_ : nullptr; }
  const double* number() const { return kind_ == Kind::kNumber ? &number_ : nullptr; }
  const std::string* string() const { return kind_ == Kind::kString ? &string_ : nullptr; }
  const Array* array() const { return kind_ == Kind::kArray ? &array_ : nullptr; }
  const Object* object() const { return kind_ == Kind::kObject ? &object_ : nullptr; }

  /// A member of an object; nullptr: there is none, or the value is no object.
  const JsonValue* member(std::string_view name) const;

 private:
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

  // Not a std::variant: GCC 12 warns of those that hold containers of themselves.
  Kind kind_ = Kind::kNull;
  bool boolean_ = false;
  double number_ = 0;
  std::string string_ = {};
  Array array_ = {};
  Object object_ = {};
};

/// Reads one value and nothing behind it. `file` is for messages. Errors: kSyntax, "FILE, line N: REASON".
/// Thread-safe.
libconf::Result<JsonValue> parse_json(std::string_view text, std::string_view file);

}  // namespace postlint
