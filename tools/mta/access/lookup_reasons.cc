#include "tools/mta/access/lookup_reasons.h"

namespace mta {

std::string_view record_reason(DnsStatus status) {
  return status == DnsStatus::kFiltered ? "DNS reply filter policy" : describe(status);
}

DnsStatus worse_failure(DnsStatus before, DnsStatus now) {
  const bool is_worse = is_temporary(now) || (!is_temporary(before) && now == DnsStatus::kNoData);
  return is_worse ? now : before;
}

std::string_view host_reason(DnsStatus status) {
  if (is_temporary(status)) return "Temporary failure in name resolution";
  return status == DnsStatus::kNoSuchName ? "Name or service not known"
                                          : "No address associated with hostname";
}

}  // namespace mta
