/// What the DNS says, without the records that a rule is to ignore (smtp_dns_reply_filter of postconf(5)).
///
///     DnsReplyFilter filter(resolver, warnings);
///     filter.open("smtp_dns_reply_filter", tables);
///     const DnsAnswer answer = co_await filter.resolve("example.com", DnsType::kMx);
#pragma once

#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libmaps/table_context.h"
#include "tools/mta/dns/resolver.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// Not thread-safe; resolver and sink must outlive it. Before open() it changes nothing.
class DnsReplyFilter final : public Resolver {
 public:
  DnsReplyFilter(Resolver& resolver, libconf::DiagnosticSink& warnings)
      : resolver_(resolver), warnings_(warnings) {}

  /// Opens the tables that `parameter` names. Errors: those of opening tables.
  libconf::Result<void> open(std::string_view parameter, const libmaps::TableContext& context);

  /// As the resolver. Records of the types MX, A, AAAA, TXT and TLSA are looked up as
  /// "example.com. 60 IN MX 10 mail.example.com.", but for a null MX. Where none is left, the status is
  /// kFiltered; where a table fails, or does not say IGNORE, kFilterFailed.
  asio::awaitable<DnsAnswer> resolve(std::string name, DnsType type) override;

 private:
  enum class Decision { kKeep, kIgnore, kFail };
  Decision decide(const std::string& record);

  Resolver& resolver_;
  libconf::DiagnosticSink& warnings_;
  std::string parameter_;
  TableList tables_;
};

/// The record as its master file would have it (RFC 1035, section 5). Pure; thread-safe.
std::string record_text(std::string_view name, std::uint32_t ttl, DnsType type, const DnsRecord& record);

}  // namespace mta
