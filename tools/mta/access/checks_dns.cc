// Restrictions that ask the DNS: names without an address, lists of clients and domains, backup mail servers.
#include <algorithm>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/access/evaluation.h"
#include "tools/mta/access/host_name.h"
#include "tools/mta/access/lookup_reasons.h"
#include "tools/mta/access/rbl_reply.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::string_view kUnknownHost = "unknown";

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

/// RFC 5782, 2.1 and 2.4: the octets, or the nibbles, from the last to the first. Empty: no address.
std::string reversed_address(std::string_view text) {
  const auto address = libmaps::parse_ip_address(text);
  if (!address) return {};
  std::string out;
  if (const auto* v4 = std::get_if<libmaps::Ipv4Address>(&*address)) {
    for (int shift = 0; shift < libmaps::Ipv4Address::kBits; shift += 8)
      out += concat(out.empty() ? "" : ".", std::to_string(v4->bits >> shift & 0xFF));
    return out;
  }
  const auto& v6 = std::get<libmaps::Ipv6Address>(*address);
  for (const std::uint64_t half : {v6.low, v6.high})
    for (int shift = 0; shift < 64; shift += 4) {
      if (!out.empty()) out += '.';
      out += "0123456789abcdef"[half >> shift & 0xF];
    }
  return out;
}

StatusSubject status_subject(Subject subject) {
  if (subject == Subject::kSender) return StatusSubject::kSender;
  return subject == Subject::kRecipient ? StatusSubject::kRecipient : StatusSubject::kOther;
}

/// Whether nothing is there, as far as one could tell.
bool is_absent(DnsStatus status) { return status == DnsStatus::kNoSuchName || status == DnsStatus::kNoData; }

}  // namespace

asio::awaitable<DnsStatus> Evaluation::has_address(const std::string& name) {
  DnsStatus worst = DnsStatus::kNoSuchName;
  for (const DnsType type : {DnsType::kA, DnsType::kAaaa}) {
    const DnsAnswer answer = co_await ask_dns(name, type);
    if (answer.status == DnsStatus::kFound) co_return answer.status;
    if (is_temporary(answer.status)) worst = answer.status;
  }
  co_return worst;
}

bool Evaluation::warn_of_filter(std::string_view name, std::string_view what, DnsStatus status) {
  if (status != DnsStatus::kFiltered) return false;
  warn(concat(name, ": ", what, " lookup error: ", describe(status)));
  return true;
}

asio::awaitable<Outcome> Evaluation::check_unknown_domain(const Restriction& restriction) {
  const auto target = target_of(restriction.type->subject);
  if (!target || target->name.empty()) co_return Outcome::kDunno;
  if (target->subject == Subject::kHelo) co_return co_await check_unknown_helo(*target);
  co_return co_await check_unknown_mail_domain(restriction, *target);
}

asio::awaitable<Outcome> Evaluation::check_unknown_helo(const Target& target) {
  const AccessSettings& values = parts_.values;
  if (target.name.starts_with('[')) {
    if (bracketed_address(target.name)) co_return Outcome::kDunno;
    co_return reject_target(target, values.invalid_hostname_reject_code, "5.5.2", "invalid ip address");
  }
  DnsStatus status = DnsStatus::kNoSuchName;
  // A trailing dot is no part of a name that a client may say.
  if (!target.name.ends_with('.')) {
    status = co_await has_address(target.name);
    if (status != DnsStatus::kFound) {
      const DnsAnswer answer = co_await ask_dns(target.name, DnsType::kMx);
      if (answer.status == DnsStatus::kFound || is_temporary(answer.status)) status = answer.status;
    }
  }
  if (status == DnsStatus::kFound || warn_of_filter(target.name, "address or MX", status))
    co_return Outcome::kDunno;
  constexpr int kTemporary = 450;
  if (!is_absent(status))
    co_return reject_temporarily(values.unknown_helo_hostname_tempfail_action,
                                 reply_for(target, kTemporary, "4.7.1", "Host not found"));
  co_return reject_target(target, values.unknown_hostname_reject_code, "5.7.1", "Host not found");
}

asio::awaitable<Outcome> Evaluation::check_unknown_mail_domain(const Restriction&, const Target& target) {
  const AddressInfo* info = co_await resolve(target.name);
  if (info == nullptr) co_return temporary_lookup_failure(target);
  const bool is_final =
      info->address_class != AddressClass::kDefault && info->address_class != AddressClass::kRelay;
  const std::string& domain = info->domain;
  if (is_final || domain.empty() || domain.starts_with('[')) co_return Outcome::kDunno;
  const AccessSettings& values = parts_.values;
  const bool is_sender = target.subject == Subject::kSender;
  const DnsAnswer answer = co_await ask_dns(domain, DnsType::kMx);
  DnsStatus status = answer.status;
  if (status == DnsStatus::kFound) {
    const bool accepts = std::any_of(answer.records.begin(), answer.records.end(),
                                     [](const DnsRecord& record) { return !record.data.empty(); });
    if (accepts) co_return Outcome::kDunno;
    // RFC 7505, 4.
    co_return reject_target(target, is_sender ? 550 : 556, is_sender ? "5.7.27" : "5.1.10",
                            concat("Domain ", domain, " does not accept mail (nullMX)"));
  }
  if (is_absent(status)) status = co_await has_address(domain);
  if (status == DnsStatus::kFound || warn_of_filter(domain, "MX or address", status))
    co_return Outcome::kDunno;
  constexpr int kTemporary = 450;
  const std::string_view code = is_sender ? "5.1.8" : "5.1.2";
  if (!is_absent(status))
    co_return reject_temporarily(values.unknown_address_tempfail_action,
                                 reply_for(target, kTemporary, code, "Domain not found"));
  co_return reject_target(target, values.unknown_address_reject_code, code, "Domain not found");
}

std::string Evaluation::rbl_key(const Restriction& restriction, const Target& target) const {
  const RestrictionKind kind = restriction.type->kind;
  if (kind == RestrictionKind::kRejectAddressList || kind == RestrictionKind::kPermitAddressList)
    return reversed_address(state_.client.address);
  std::string_view domain = target.name;
  switch (target.subject) {
    case Subject::kClient:
      domain = state_.client.name;
      break;
    case Subject::kSender:
    case Subject::kRecipient:
      domain = domain_of(target.name);
      break;
    default:
      break;
  }
  return domain == kUnknownHost || domain.starts_with('[') ? "" : std::string(domain);
}

asio::awaitable<Outcome> Evaluation::check_dns_list(const Restriction& restriction) {
  const auto& list = std::get<RblArgument>(restriction.argument);
  const auto target = target_of(restriction.type->subject);
  if (!target) co_return Outcome::kDunno;
  const std::string key = rbl_key(restriction, *target);
  if (key.empty()) co_return Outcome::kDunno;
  const RestrictionKind kind = restriction.type->kind;
  const bool permits =
      kind == RestrictionKind::kPermitAddressList || kind == RestrictionKind::kPermitNameList;
  // A list of strangers must not open the relay.
  if (permits && state_.recipient && !co_await is_auth_destination()) co_return Outcome::kDunno;
  const std::string query = concat(key, ".", list.domain);
  const DnsAnswer answer = co_await ask_dns(query, DnsType::kA);
  std::string what = target->name;
  if (kind == RestrictionKind::kRejectAddressList || kind == RestrictionKind::kPermitAddressList)
    what = state_.client.address;
  else if (target->subject == Subject::kClient)
    what = state_.client.name;
  if (is_temporary(answer.status)) {
    warn(concat(query, ": RBL lookup error: ", lookup_error(query, DnsType::kA, answer.status)));
    if (!permits) co_return Outcome::kDunno;
    co_return defer_if_reject(reply_for({target->subject, what}, 450, "4.7.1", "Service unavailable"));
  }
  const auto matching = std::find_if(
      answer.records.begin(), answer.records.end(),
      [&](const DnsRecord& record) { return !list.filter || list.filter->matches(record.data); });
  if (matching == answer.records.end()) co_return Outcome::kDunno;
  note(&TraceStep::key, query);
  note(&TraceStep::value, matching->data);
  if (permits) co_return permit(restriction.type->name, *target);
  co_return co_await reject_listed(restriction, list, *target, std::move(what), query);
}

asio::awaitable<Outcome> Evaluation::reject_listed(const Restriction&, const RblArgument& list,
                                                   const Target& target, std::string what,
                                                   std::string query) {
  const DnsAnswer text = co_await ask_dns(query, DnsType::kTxt);
  const RblReplyAttributes attributes{
      .code = std::to_string(parts_.values.maps_rbl_reject_code),
      .subject_class = std::string(subject_name(target.subject)),
      .what = std::move(what),
      .domain = list.domain,
      .reason = text.records.empty() ? "" : libconf::printable(text.records.front().data),
      .client = client_text(),
  };
  libconf::DiagnosticList warnings;
  std::optional<std::string> reply_text;
  for (const std::string& table : parts_.rbl_reply_maps) {
    const auto found = parts_.tables.find(table, AccessKey::kExact, list.domain, warnings);
    if (!found) {
      warn(found.error().message);
    } else if (*found) {
      reply_text = expand_rbl_reply((*found)->value, attributes, state_, warnings);
      break;
    }
  }
  if (!reply_text)
    reply_text = expand_rbl_reply(parts_.values.default_rbl_reply, attributes, state_, warnings);
  take_warnings(warnings);
  std::string_view rest = reply_text ? std::string_view(*reply_text) : "";
  const std::string_view code_text = libconf::next_word(rest, libconf::kBlanks).value_or("");
  rest = libconf::trim(rest);
  const bool is_code = code_text.size() == 3 && (code_text[0] == '4' || code_text[0] == '5') &&
                       libconf::is_all_digits(code_text);
  if (!is_code) {
    warn(concat("rbl response code configuration error: ", reply_text.value_or("")));
    co_return reject({.code = 450, .status = "4.7.1", .text = "Service unavailable"});
  }
  const int code = (code_text[0] - '0') * 100 + (code_text[1] - '0') * 10 + (code_text[2] - '0');
  std::string status = code < 500 ? "4.7.1" : "5.7.1";
  if (const std::size_t length = status_length(rest); length > 0) {
    status = fitting_status(rest.substr(0, length), code, status_subject(target.subject));
    rest = libconf::trim_left(rest.substr(length));
  }
  co_return reject({.code = code, .status = std::move(status), .text = std::string(rest)});
}

asio::awaitable<Outcome> Evaluation::check_mx_backup(const Restriction& restriction) {
  const auto target = target_of(Subject::kRecipient);
  if (!target) co_return Outcome::kDunno;
  warn(
      "support for restriction \"permit_mx_backup\" will be removed from Postfix; instead, use "
      "\"relay_domains\"");
  const AddressInfo* info = co_await resolve(target->name);
  if (info == nullptr) co_return temporary_lookup_failure(*target);
  if (info->has_sender_routing) co_return Outcome::kDunno;
  if (info->address_class != AddressClass::kDefault) co_return permit(restriction.type->name, *target);
  const std::string& domain = info->domain;
  if (domain.empty() || domain.starts_with('[')) co_return Outcome::kDunno;
  DnsAnswer answer = co_await ask_dns(domain, DnsType::kMx);
  const auto unable = [&](std::string_view what, std::string_view why) {
    return defer_if_reject(
        {.code = 450,
         .status = "4.4.4",
         .text = concat("<", target->name, ">: Recipient address rejected: Unable to look up mail exchanger ",
                        what, ": ", why)});
  };
  if (is_temporary(answer.status)) co_return unable("information", record_reason(answer.status));
  // RFC 7505: a name that is empty is none.
  if (answer.status != DnsStatus::kFound || answer.records.front().data.empty()) co_return Outcome::kDunno;
  const auto is_own = [&](const std::string& address) {
    const AccessSite& site = parts_.site;
    return std::find(site.interface_addresses.begin(), site.interface_addresses.end(), address) !=
               site.interface_addresses.end() ||
           std::find(site.proxy_addresses.begin(), site.proxy_addresses.end(), address) !=
               site.proxy_addresses.end();
  };
  // The best first: where this host is one of them, no other is looked up.
  std::stable_sort(answer.records.begin(), answer.records.end(),
                   [](const DnsRecord& a, const DnsRecord& b) { return a.preference < b.preference; });
  const int best = answer.records.front().preference;
  bool is_backup = false;
  for (const DnsRecord& record : answer.records) {
    bool is_here = false;
    bool is_in_networks = false;
    bool is_known = false;
    DnsStatus failure = DnsStatus::kNoSuchName;
    for (const DnsType type : parts_.address_types) {
      const DnsAnswer addresses = co_await ask_host(record.data, type);
      is_known = is_known || !addresses.records.empty();
      failure = worse_failure(failure, addresses.status);
      for (const DnsRecord& address : addresses.records) {
        is_here = is_here || is_own(address.data);
        if (record.preference != best || !parts_.mx_backup_networks) continue;
        const auto matches = parts_.mx_backup_networks->matches_client(record.data, address.data);
        is_in_networks = is_in_networks || (matches && *matches);
      }
    }
    if (!is_known) unable(concat("host ", record.data), host_reason(failure));
    if (record.preference != best)
      is_backup = is_backup || is_here;
    else if (is_here || (parts_.mx_backup_networks && !is_in_networks))
      co_return Outcome::kDunno;
  }
  co_return is_backup ? permit(restriction.type->name, *target) : Outcome::kDunno;
}

}  // namespace mta
