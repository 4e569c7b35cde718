#include "libmaps/domain_keys.h"

#include <algorithm>
#include <cstddef>
#include <variant>

namespace libmaps {

libconf::Result<ParentStyle> parent_style(const libconf::Settings& settings, std::string_view feature) {
  const auto features = settings.get_list("parent_domain_matches_subdomains");
  if (!features) return features.error();
  const bool is_listed = std::find(features->begin(), features->end(), feature) != features->end();
  return is_listed ? ParentStyle::kPlain : ParentStyle::kDotted;
}

std::vector<std::string_view> domain_keys(std::string_view domain, ParentStyle style) {
  std::vector<std::string_view> keys = {domain};
  if (domain.starts_with('[')) return keys;
  // A leading dot has nothing before it that could be cut off.
  for (std::size_t dot = domain.find('.', 1); dot != std::string_view::npos;
       dot = domain.find('.', dot + 1)) {
    const std::string_view parent = domain.substr(style == ParentStyle::kDotted ? dot : dot + 1);
    if (!parent.empty()) keys.push_back(parent);
  }
  return keys;
}

std::vector<std::string> network_keys(const IpAddress& address) {
  const char separator = std::holds_alternative<Ipv4Address>(address) ? '.' : ':';
  std::string key = to_string(address);
  std::vector<std::string> keys = {key};
  for (std::size_t cut = key.rfind(separator); cut != std::string::npos && cut > 0;
       cut = key.rfind(separator)) {
    key.resize(cut);
    keys.push_back(key);
  }
  return keys;
}

}  // namespace libmaps
