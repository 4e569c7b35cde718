#include "tools/mta/delivery/probe_sender.h"

#include <algorithm>

#include "libconf/text.h"

namespace mta {

std::string probe_sender(std::string_view sender, std::chrono::seconds lifetime, std::time_t now) {
  if (sender.empty() || lifetime.count() == 0) return std::string(sender);
  constexpr std::string_view kDigits = "0123456789BCDFGHJKLMNPQRSTVWXYZ";
  std::string digits;
  for (std::time_t number = now / lifetime.count(); number > 0;
       number /= static_cast<std::time_t>(kDigits.size()))
    digits += kDigits[static_cast<std::size_t>(number) % kDigits.size()];
  std::reverse(digits.begin(), digits.end());
  const std::size_t at = std::min(sender.rfind('@'), sender.size());
  return libconf::concat(sender.substr(0, at), digits, sender.substr(at));
}

}  // namespace mta
