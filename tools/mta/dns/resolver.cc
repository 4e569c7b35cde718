#include "tools/mta/dns/resolver.h"

#include <array>
#include <cstddef>

#include "libconf/text.h"

namespace mta {

namespace {

constexpr std::array<std::string_view, 8> kNames = {"A", "AAAA", "MX", "NS", "PTR", "SOA", "TXT", "TLSA"};

}  // namespace

std::string_view dns_type_name(DnsType type) { return kNames[static_cast<std::size_t>(type)]; }

std::optional<DnsType> find_dns_type(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (libconf::equals_ignoring_case(name, kNames[i])) return static_cast<DnsType>(i);
  return std::nullopt;
}

std::string_view describe(DnsStatus status) {
  constexpr std::array<std::string_view, 6> kTexts = {"Success",
                                                      "Host found but no data record of requested type",
                                                      "Host not found",
                                                      "Host not found, try again",
                                                      "DNS reply filter drops all results",
                                                      "Invalid DNS reply filter syntax"};
  return kTexts[static_cast<std::size_t>(status)];
}

bool is_temporary(DnsStatus status) {
  return status == DnsStatus::kTemporaryFailure || status == DnsStatus::kFiltered ||
         status == DnsStatus::kFilterFailed;
}

std::string lookup_error(std::string_view name, DnsType type, DnsStatus status) {
  const bool is_ours = status == DnsStatus::kFiltered || status == DnsStatus::kFilterFailed;
  return libconf::concat(
      is_ours ? "Error looking up name=" : "Host or domain name not found. Name service error for name=",
      name, " type=", dns_type_name(type), ": ", describe(status));
}

}  // namespace mta
