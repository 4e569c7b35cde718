#include "tools/mta/smtp/dns_reply_filter.h"

#include "libconf/hex.h"
#include "libconf/text.h"
#include "tools/mta/daemon/empty_result.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;

bool is_looked_up(DnsType type) {
  switch (type) {
    case DnsType::kMx:
    case DnsType::kA:
    case DnsType::kAaaa:
    case DnsType::kTxt:
    case DnsType::kTlsa:
      return true;
    case DnsType::kNs:
    case DnsType::kPtr:
    case DnsType::kSoa:
      break;
  }
  return false;
}

/// RFC 7505: not a record that could be done without.
bool is_null_mx(DnsType type, const DnsAnswer& answer) {
  return type == DnsType::kMx && answer.records.size() == 1 && answer.records.front().data.empty();
}

/// Usage, selector and matching type as numbers, and the rest as it is (RFC 6698, section 2.2).
std::string tlsa_text(std::string_view data) {
  constexpr std::size_t kNumbers = 3;
  std::string text;
  for (const char number : data.substr(0, kNumbers))
    text += concat(std::to_string(static_cast<unsigned char>(number)), " ");
  for (const char byte : data.substr(std::min(kNumbers, data.size()))) libconf::append_hex(text, byte);
  return text;
}

}  // namespace

std::string record_text(std::string_view name, std::uint32_t ttl, DnsType type, const DnsRecord& record) {
  std::string text = concat(name, ". ", std::to_string(ttl), " IN ", dns_type_name(type), " ");
  switch (type) {
    case DnsType::kMx:
      return concat(text, std::to_string(record.preference), " ", record.data, ".");
    case DnsType::kNs:
    case DnsType::kPtr:
    case DnsType::kSoa:
      return concat(text, record.data, ".");
    case DnsType::kTlsa:
      return concat(text, tlsa_text(record.data));
    case DnsType::kA:
    case DnsType::kAaaa:
    case DnsType::kTxt:
      break;
  }
  return concat(text, record.data);
}

Result<void> DnsReplyFilter::open(std::string_view parameter, const libmaps::TableContext& context) {
  Result<TableList> tables = TableList::open(parameter, context);
  if (!tables) return tables.error();
  tables_ = std::move(*tables);
  parameter_ = parameter;
  return {};
}

DnsReplyFilter::Decision DnsReplyFilter::decide(const std::string& record) {
  const auto warn = [this](std::string text) { warnings_.warn("dns-reply-filter", std::move(text)); };
  const Result<std::optional<std::string>> action = tables_.lookup(record);
  if (!action) {
    warn(action.error().message);
    return Decision::kFail;
  }
  if (!*action) return Decision::kKeep;
  if ((*action)->empty()) {
    for (std::string& line : empty_result_warnings(parameter_, record)) warn(std::move(line));
    return Decision::kFail;
  }
  if (!libconf::equals_ignoring_case(**action, "IGNORE")) {
    warn(concat(parameter_, ": unknown DNS filter action: \"", **action, "\""));
    return Decision::kFail;
  }
  warnings_.report({.severity = libconf::Severity::kInfo,
                    .code = "dns-reply-filter",
                    .message = concat("ignoring DNS RR: ", record)});
  return Decision::kIgnore;
}

asio::awaitable<DnsAnswer> DnsReplyFilter::resolve(std::string name, DnsType type) {
  DnsAnswer answer = co_await resolver_.resolve(name, type);
  if (tables_.is_empty() || answer.status != DnsStatus::kFound || !is_looked_up(type) ||
      is_null_mx(type, answer))
    co_return answer;
  std::string_view owner = answer.name.empty() ? name : answer.name;
  if (owner.ends_with('.')) owner.remove_suffix(1);
  std::vector<DnsRecord> kept;
  for (DnsRecord& record : answer.records) {
    const Decision decision = decide(record_text(owner, answer.ttl, type, record));
    if (decision == Decision::kFail) co_return DnsAnswer{.status = DnsStatus::kFilterFailed};
    if (decision == Decision::kKeep) kept.push_back(std::move(record));
  }
  answer.records = std::move(kept);
  if (answer.records.empty()) answer.status = DnsStatus::kFiltered;
  co_return answer;
}

}  // namespace mta
