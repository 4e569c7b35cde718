/// Reads many parameters into the members of an object, and remembers the first that cannot be read.
///
///     SettingsReader reader(settings);
///     reader.flag("strict_mailbox_ownership", options.must_be_owned);
///     if (reader.error()) return *reader.error();
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/settings.h"

namespace mta {

/// A parameter that cannot be read leaves the member as it is. `settings` must outlive the object.
class SettingsReader {
 public:
  explicit SettingsReader(const libconf::Settings& settings) : settings_(settings) {}

  void text(std::string_view parameter, std::string& value) { take(settings_.get(parameter), value); }
  void list(std::string_view parameter, std::vector<std::string>& value) {
    take(settings_.get_list(parameter), value);
  }
  void flag(std::string_view parameter, bool& value) { take(settings_.get_bool(parameter), value); }
  /// Negative numbers count as 0, numbers too great for the member as its greatest.
  template <class Number>
  void count(std::string_view parameter, Number& value) {
    std::int64_t number = 0;
    if (take(settings_.get_int(parameter), number)) value = clamped<Number>(number);
  }
  void duration(std::string_view parameter, std::chrono::seconds& value) {
    take(settings_.get_duration(parameter), value);
  }
  /// The same as a number.
  void seconds(std::string_view parameter, std::uint32_t& value) {
    std::chrono::seconds time{};
    if (take(settings_.get_duration(parameter), time)) value = clamped<std::uint32_t>(time.count());
  }
  /// The value before $names are expanded: it has names of its own.
  void raw(std::string_view parameter, std::string& value) {
    value = settings_.value_of(parameter).value_or("");
  }

  void fail(libconf::Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<libconf::Error>& error() const { return error_; }

 private:
  template <class T>
  bool take(libconf::Result<T> result, T& value) {
    if (!result) {
      fail(result.error());
      return false;
    }
    value = std::move(*result);
    return true;
  }
  template <class Number>
  static Number clamped(std::int64_t number) {
    const auto positive = static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
    return static_cast<Number>(std::min<std::uint64_t>(positive, std::numeric_limits<Number>::max()));
  }

  const libconf::Settings& settings_;
  std::optional<libconf::Error> error_;
};

}  // namespace mta
