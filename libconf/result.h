/// Errors as values: what a libconf or libmaps function returns when it can fail.
///
///     Result<int> port = parse_port(text);
///     if (!port) return port.error();
///     use(*port);
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace libconf {

/// Named for what the caller should do next.
enum class ErrorKind {
  kSyntax,         ///< The text is not what the format allows: show it to whoever wrote the text.
  kConfiguration,  ///< Well-formed, but wrong here: a value out of range, an unknown name.
  kTemporary,      ///< Could not tell now; the same call may succeed later. Never "not found".
  kUnsupported,    ///< This build or this type cannot do that.
  kDataCorrupt,    ///< A file is damaged or of another format.
  kInputOutput,    ///< The operating system refused; the message ends with its reason.
};

/// One failure. `message` is complete, worded as Postfix users know it, and names file and line by itself
/// where Postfix's wording does; the other members repeat the place for programs. A line or column of 0 is
/// unknown.
struct Error {
  ErrorKind kind = ErrorKind::kInputOutput;
  std::string message;
  std::string file = {};
  int line = 0;
  int column = 0;
};

/// What is wrong with a configuration, at a place that the message tells or nobody needs.
inline Error configuration_error(std::string message) {
  return {.kind = ErrorKind::kConfiguration, .message = std::move(message)};
}

/// A value or an Error. Unlike a plain tl::expected it cannot be dropped by accident.
template <class T>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::make_unexpected(std::move(error))) {}  // NOLINT: implicit
};

}  // namespace libconf
