#include "tools/mta/access/host_name.h"

#include <algorithm>
#include <optional>

#include "libconf/text.h"
#include "libmaps/ip_address.h"

namespace mta {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestLabel = 63;

bool is_label_char(char c) { return libconf::is_name_char(c) || c == '-'; }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && !label.starts_with('-') &&
         !label.ends_with('-') && std::all_of(label.begin(), label.end(), is_label_char);
}

bool is_number_or_dot(char c) { return (c >= '0' && c <= '9') || c == '.'; }

}  // namespace

bool is_valid_host_name(std::string_view name) {
  name = without_final_dot(name);
  if (name.empty() || name.size() > kLongestName) return false;
  if (std::all_of(name.begin(), name.end(), is_number_or_dot)) return false;
  for (std::size_t dot = 0; dot != std::string_view::npos;) {
    dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  }
  return true;
}

bool is_valid_address_literal(std::string_view text) { return !literal_address(text).empty(); }

std::string literal_address(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']') || text.size() < 2) return {};
  text = text.substr(1, text.size() - 2);
  constexpr std::string_view kTag = "IPv6:";
  if (libconf::equals_ignoring_case(text.substr(0, kTag.size()), kTag)) {
    const auto address = libmaps::parse_ipv6(text.substr(kTag.size()));
    return address ? to_string(*address) : "";
  }
  const auto address = libmaps::parse_ip_address(text);
  return address ? to_string(*address) : "";
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

}  // namespace mta
