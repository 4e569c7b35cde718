#include "tools/mta/delivery/dane_records.h"

#include "libconf/hex.h"
#include "libconf/text.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::uint8_t kTrustAnchor = 2;
constexpr std::uint8_t kEndEntity = 3;

}  // namespace

std::optional<TlsaRecord> parse_tlsa_record(std::string_view data) {
  constexpr std::size_t kNumbers = 3;
  if (data.size() < kNumbers) return std::nullopt;
  return TlsaRecord{.usage = static_cast<std::uint8_t>(data[0]),
                    .selector = static_cast<std::uint8_t>(data[1]),
                    .matching = static_cast<std::uint8_t>(data[2]),
                    .data = std::string(data.substr(kNumbers))};
}

std::string to_string(const TlsaRecord& record) {
  std::string text = concat(std::to_string(record.usage), " ", std::to_string(record.selector), " ",
                            std::to_string(record.matching), " ");
  for (const char c : record.data) libconf::append_hex(text, c);
  return text;
}

/// Authorities that anybody trusts are of no use to mail (RFC 7672, section 3.1.3).
std::vector<TlsaRecord> DaneLookup::usable(const DnsAnswer& answer, std::string_view name) {
  std::vector<TlsaRecord> records;
  for (const DnsRecord& each : answer.records) {
    std::optional<TlsaRecord> record = parse_tlsa_record(each.data);
    if (!record) continue;
    if (record->usage == kTrustAnchor || record->usage == kEndEntity) {
      records.push_back(std::move(*record));
    } else {
      warnings_.warn("dane", concat(name, " unsupported TLSA certificate usage: ", to_string(*record)));
    }
  }
  return records;
}

/// The end of a chain of aliases comes before the name that the server is known by (RFC 7672, section 2.2.2).
/// Where there is no alias, both are the same, and asked for twice, as Postfix does: its log shows it.
asio::awaitable<DaneLookup::Found> DaneLookup::find(MailServer server) {
  Found found;
  for (const std::string& base : {server.canonical_name, server.name}) {
    const std::string name = concat("_", std::to_string(server.port), "._tcp.", base);
    const DnsAnswer answer = co_await resolver_.resolve(name, DnsType::kTlsa);
    if (is_temporary(answer.status)) {
      found.is_unknown = true;
      warnings_.warn("dane",
                     concat("DANE TLSA lookup problem: ", lookup_error(name, DnsType::kTlsa, answer.status)));
      continue;
    }
    if (answer.status != DnsStatus::kFound || !answer.is_validated) continue;
    found.is_unknown = false;
    found.base = base;
    found.records = usable(answer, name);
    found.is_unusable = found.records.empty();
    co_return found;
  }
  co_return found;
}

asio::awaitable<std::optional<Error>> DaneLookup::complete(ClientTlsPolicy& policy, MailServer server,
                                                           std::string domain) {
  if (policy.is_dane_only && !server.has_secure_name)
    co_return libconf::configuration_error("non DNSSEC destination");
  // Records of a server that anybody may have named.
  const bool is_doubtful = !server.has_secure_name && options_.insecure_mx_policy != "dane";
  if (is_doubtful && options_.insecure_mx_policy == "may") co_return std::nullopt;
  Found found;
  if (server.is_secure) found = co_await find(server);
  if (found.is_unknown)
    co_return libconf::configuration_error(
        concat("TLSA lookup error for ", server.name, ":", std::to_string(server.port)));
  if (policy.is_dane_only && found.is_unusable)
    co_return libconf::configuration_error("TLSA records unusable");
  if (policy.is_dane_only && found.records.empty())
    co_return libconf::configuration_error("no TLSA records found");
  if (found.is_unusable || (is_doubtful && !found.records.empty())) policy.require(ClientTlsLevel::kEncrypt);
  if (found.records.empty() || is_doubtful) co_return std::nullopt;
  policy.require(ClientTlsLevel::kDane);
  policy.records = std::move(found.records);
  policy.server_name = found.base;
  policy.matches = {std::move(domain)};
  policy.has_secure_name = server.has_secure_name;
  co_return std::nullopt;
}

}  // namespace mta
