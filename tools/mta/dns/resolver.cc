#include "tools/mta/dns/resolver.h"

#include <array>
#include <cstddef>

namespace mta {

std::string_view dns_type_name(DnsType type) {
  constexpr std::array<std::string_view, 7> kNames = {"A", "AAAA", "MX", "NS", "PTR", "SOA", "TXT"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view describe(DnsStatus status) {
  constexpr std::array<std::string_view, 4> kTexts = {"Success",
                                                      "Host found but no data record of requested type",
                                                      "Host not found", "Host not found, try again"};
  return kTexts[static_cast<std::size_t>(status)];
}

}  // namespace mta
