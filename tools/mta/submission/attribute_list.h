/// What postdrop(1) tells sendmail(1): lists of attributes, "NAME\0VALUE\0" each, with an empty name at the
/// end.
///
///     write(format_attribute_list({{"status", "0"}, {"reason", ""}}));
///
///     AttributeListReader reader;
///     while (!(list = reader.take())) reader.feed(read());
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mta {

using AttributeList = std::vector<std::pair<std::string, std::string>>;

/// REQUIRES: names are not empty, and nothing has a null byte. Pure; thread-safe.
std::string format_attribute_list(const AttributeList& attributes);

/// The value of an attribute, or nothing.
std::optional<std::string_view> find_attribute(const AttributeList& attributes, std::string_view name);

/// Takes a stream apart. Not thread-safe.
class AttributeListReader {
 public:
  /// Takes the next bytes, divided in any way. False: there is more than a list can have, and the stream is
  /// of no use any more.
  bool feed(std::string_view bytes);

  /// The next list; nothing when it has not come whole yet.
  std::optional<AttributeList> take();

 private:
  std::string buffer_;
};

}  // namespace mta
