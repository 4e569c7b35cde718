#include "tools/mta/address/domain_syntax.h"

#include <algorithm>
#include <cstddef>

#include "libconf/text.h"
#include "tools/mta/address/local_domains.h"

namespace mta {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestLabel = 63;

bool is_label(std::string_view label, bool allow_utf8) {
  if (label.empty() || label.size() > kLongestLabel || label.front() == '-' || label.back() == '-')
    return false;
  while (!label.empty()) {
    std::size_t length = libconf::is_name_char(label[0]) || label[0] == '-' ? 1 : 0;
    if (length == 0 && allow_utf8) length = libconf::utf8_length(label);
    if (length == 0) return false;
    label.remove_prefix(length);
  }
  return true;
}

}  // namespace

bool is_host_name(std::string_view text, bool allow_utf8) {
  if (text.empty() || text.size() > kLongestName) return false;
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot), allow_utf8)) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_mail_domain(std::string_view text, bool allow_utf8) {
  return text.starts_with('[') ? literal_address(text).has_value() : is_host_name(text, allow_utf8);
}

}  // namespace mta
