#include "tools/mta/submission/attribute_list.h"

#include <algorithm>

namespace mta {
namespace {

/// More than any list needs.
constexpr std::size_t kLongestList = 65536;

}  // namespace

std::string format_attribute_list(const AttributeList& attributes) {
  std::string text;
  for (const auto& [name, value] : attributes) {
    text.append(name).push_back('\0');
    text.append(value).push_back('\0');
  }
  text.push_back('\0');
  return text;
}

std::optional<std::string_view> find_attribute(const AttributeList& attributes, std::string_view name) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const auto& attribute) { return attribute.first == name; });
  if (found == attributes.end()) return std::nullopt;
  return found->second;
}

bool AttributeListReader::feed(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kLongestList) return false;
  buffer_ += bytes;
  return true;
}

std::optional<AttributeList> AttributeListReader::take() {
  AttributeList list;
  std::size_t position = 0;
  const auto next = [&]() -> std::optional<std::string> {
    const std::size_t end = buffer_.find('\0', position);
    if (end == std::string::npos) return std::nullopt;
    std::string text = buffer_.substr(position, end - position);
    position = end + 1;
    return text;
  };
  while (std::optional<std::string> name = next()) {
    if (name->empty()) {
      buffer_.erase(0, position);
      return list;
    }
    std::optional<std::string> value = next();
    if (!value) break;
    list.emplace_back(std::move(*name), std::move(*value));
  }
  return std::nullopt;
}

}  // namespace mta
