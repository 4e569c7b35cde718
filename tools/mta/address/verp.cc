#include "tools/mta/address/verp.h"

#include <algorithm>

#include "libconf/text.h"

namespace mta {

std::string verp_sender(std::string_view sender, std::string_view delimiters, std::string_view recipient) {
  const std::size_t sender_at = std::min(sender.rfind('@'), sender.size());
  const std::size_t at = std::min(recipient.rfind('@'), recipient.size());
  std::string verp =
      libconf::concat(sender.substr(0, sender_at), delimiters.substr(0, 1), recipient.substr(0, at));
  if (at < recipient.size()) verp += libconf::concat(delimiters.substr(1, 1), recipient.substr(at + 1));
  return verp.append(sender.substr(sender_at));
}

}  // namespace mta
