#include "tools/mta/access/lookup_reasons.h"

namespace mta {

std::string_view record_reason(DnsStatus status) {
  return status == DnsStatus::kFiltered ? "DNS reply filter policy" : describe(status);
}

std::string_view host_reason(DnsStatus status) {
  if (is_temporary(status)) return "Temporary failure in name resolution";
  return status == DnsStatus::kNoSuchName ? "Name or service not known"
                                          : "No address associated with hostname";
}

}  // namespace mta
