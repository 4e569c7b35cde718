/// Why a lookup of a restriction found nothing, in the words that Postfix has for it in its log and replies.
///
/// All functions are pure and thread-safe.
#pragma once

#include <string_view>

#include "tools/mta/dns/resolver.h"

namespace mta {

/// Of records. As describe(), but for what a filter ignores.
std::string_view record_reason(DnsStatus status);

/// Of two failures to find an address of a host, by its families, the one to tell.
DnsStatus worse_failure(DnsStatus before, DnsStatus now);

/// Of the addresses of a host, in the words of getaddrinfo(3), which Postfix asks for them.
std::string_view host_reason(DnsStatus status);

}  // namespace mta
