// check_*_access: tables, and what their entries do (access(5)).
#include <algorithm>

#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/access/evaluation.h"
#include "tools/mta/access/host_name.h"
#include "tools/mta/access/lookup_reasons.h"
#include "tools/mta/daemon/empty_result.h"

namespace mta {
namespace {

using libconf::concat;

constexpr std::string_view kUnknownHost = "unknown";

/// Results that would let mail in: not for tables that a stranger's DNS has a say in.
bool must_not_permit(const RestrictionType& type) {
  using enum RestrictionKind;
  return type.kind == kCheckAAccess || type.kind == kCheckMxAccess || type.kind == kCheckNsAccess ||
         type.subject == Subject::kReverseClient;
}

StatusSubject status_subject(Subject subject) {
  if (subject == Subject::kSender) return StatusSubject::kSender;
  return subject == Subject::kRecipient ? StatusSubject::kRecipient : StatusSubject::kOther;
}

}  // namespace

Evaluation::Found Evaluation::find(const std::string& table, AccessKey kind, std::string_view key,
                                   const Target& target) {
  libconf::DiagnosticList warnings;
  auto found = parts_.tables.find(table, kind, key, warnings);
  take_warnings(warnings);
  if (!found) {
    warn(found.error().message);
    reject_target(target, 451, "4.3.5", "Server configuration error");
    return {.has_failed = true};
  }
  if (*found && (*found)->value.empty()) {
    for (const std::string& line : empty_result_warnings(table, (*found)->key.text)) warn(line);
    reject_target(target, 451, "4.3.5", "Server configuration error");
    return {.has_failed = true};
  }
  // The null address has a key of its own.
  std::string wanted(key.empty() && *found ? (*found)->key.text : key);
  return {.match = std::move(*found), .wanted = std::move(wanted)};
}

asio::awaitable<Outcome> Evaluation::check_access(const Restriction& restriction) {
  return check_subject_access(restriction, restriction.type->subject,
                              std::get<std::string>(restriction.argument));
}

asio::awaitable<Outcome> Evaluation::check_bare_table(const Restriction& restriction) {
  // The table is the one of the list's own subject; lists of other commands have none.
  return check_subject_access(restriction, list_->subject, std::get<std::string>(restriction.argument));
}

asio::awaitable<Outcome> Evaluation::check_subject_access(const Restriction& restriction, Subject subject,
                                                          const std::string& table) {
  const auto target = target_of(subject);
  if (!target) co_return Outcome::kDunno;
  Found found;
  switch (subject) {
    case Subject::kClient:
    case Subject::kReverseClient:
      found = find(table, AccessKey::kHostName,
                   subject == Subject::kClient ? state_.client.name : state_.client.reverse_name, *target);
      if (!found.match && !found.has_failed)
        found = find(table, AccessKey::kClientAddress, state_.client.address, *target);
      break;
    case Subject::kHelo:
    case Subject::kEtrn:
      found = find(table, AccessKey::kHostName, target->name, *target);
      break;
    case Subject::kSender:
    case Subject::kRecipient: {
      if (target->name.empty()) {
        found = find(table, AccessKey::kMailAddress, "", *target);
        break;
      }
      const AddressInfo* info = co_await resolve(target->name);
      if (info == nullptr) co_return temporary_lookup_failure(*target);
      found = find(table, AccessKey::kMailAddress, info->address, *target);
      break;
    }
    default:
      co_return Outcome::kDunno;
  }
  // A failed lookup has its reply, or was only warned of.
  if (found.has_failed) co_return verdict_.kind == VerdictKind::kReject ? Outcome::kReject : Outcome::kDunno;
  if (!found.match) co_return Outcome::kDunno;
  co_return co_await act(restriction, found, table, *target);
}

asio::awaitable<Outcome> Evaluation::check_sasl_access(const Restriction& restriction) {
  const auto target = target_of(Subject::kSasl);
  if (!target) co_return Outcome::kDunno;
  const std::string& realm = parts_.values.smtpd_sasl_local_domain;
  const std::string key = realm.empty() ? target->name : concat(target->name, "@", realm);
  const auto& table = std::get<std::string>(restriction.argument);
  const Found found = find(table, AccessKey::kExact, key, *target);
  if (found.has_failed) co_return verdict_.kind == VerdictKind::kReject ? Outcome::kReject : Outcome::kDunno;
  if (!found.match) co_return Outcome::kDunno;
  co_return co_await act(restriction, found, table, *target);
}

asio::awaitable<Outcome> Evaluation::check_certificate_access(const Restriction& restriction) {
  if (!state_.tls.has_certificate) {
    if (!parts_.values.smtpd_tls_ask_ccert)
      warn("check_ccert_access is requested, but \"smtpd_tls_ask_ccert = no\"");
    co_return Outcome::kDunno;
  }
  const auto& argument = std::get<CertificateArgument>(restriction.argument);
  for (const CertificateKey kind : argument.search_order) {
    const std::string& key = kind == CertificateKey::kCertificateFingerprint
                                 ? state_.tls.certificate_fingerprint
                                 : state_.tls.public_key_fingerprint;
    if (key.empty()) continue;
    const Target target{Subject::kCertificate, state_.tls.certificate_subject};
    const Found found = find(argument.table, AccessKey::kExact, key, target);
    if (found.has_failed)
      co_return verdict_.kind == VerdictKind::kReject ? Outcome::kReject : Outcome::kDunno;
    if (found.match) co_return co_await act(restriction, found, argument.table, target);
  }
  co_return Outcome::kDunno;
}

asio::awaitable<Outcome> Evaluation::check_host_access(const Restriction& restriction) {
  const Subject subject = restriction.type->subject;
  const auto target = target_of(subject);
  if (!target) co_return Outcome::kDunno;
  std::string domain = target->name;
  if (subject == Subject::kClient) domain = state_.client.name;
  if (subject == Subject::kSender || subject == Subject::kRecipient) {
    // Of the address as it came, unlike in check_sender_access and the like: that is how Postfix does it.
    domain.erase(0, domain.rfind('@') + 1);
  }
  const bool is_client = subject == Subject::kClient || subject == Subject::kReverseClient;
  if (domain.empty() || (is_client && domain == kUnknownHost)) co_return Outcome::kDunno;
  const auto& table = std::get<std::string>(restriction.argument);
  const std::vector<std::string> hosts = co_await access_hosts(restriction.type->kind, *target, domain);
  for (const std::string& host : hosts) {
    const bool is_address = libmaps::parse_ip_address(host).has_value();
    const AccessKey kind = is_address ? AccessKey::kClientAddress : AccessKey::kHostName;
    // check_*_a_access is about addresses alone.
    const bool has_key = is_address || restriction.type->kind != RestrictionKind::kCheckAAccess;
    Found found = has_key ? find(table, kind, host, *target) : Found{};
    if (found.has_failed)
      co_return verdict_.kind == VerdictKind::kReject ? Outcome::kReject : Outcome::kDunno;
    if (found.match) co_return co_await act(restriction, found, table, *target);
    if (is_address) continue;
    bool is_known = false;
    DnsStatus failure = DnsStatus::kNoSuchName;
    for (const DnsType type : parts_.address_types) {
      const DnsAnswer answer = co_await ask_host(host, type);
      failure = worse_failure(failure, answer.status);
      for (const DnsRecord& record : answer.records) {
        is_known = true;
        found = find(table, AccessKey::kClientAddress, record.data, *target);
        if (found.has_failed)
          co_return verdict_.kind == VerdictKind::kReject ? Outcome::kReject : Outcome::kDunno;
        // DUNNO ends the search, too: no other host is looked up.
        if (found.match) co_return co_await act(restriction, found, table, *target);
      }
    }
    if (!is_known && restriction.type->kind != RestrictionKind::kCheckAAccess)
      warn(concat("Unable to look up ",
                  restriction.type->kind == RestrictionKind::kCheckMxAccess ? "MX" : "NS", " host ", host,
                  " for ", subject_name(subject), " ", target->name, ": ", host_reason(failure)));
  }
  co_return Outcome::kDunno;
}

asio::awaitable<std::vector<std::string>> Evaluation::access_hosts(RestrictionKind kind, const Target& target,
                                                                   const std::string& domain) {
  if (const auto literal = bracketed_address(domain))
    // No zone has name servers for it.
    co_return std::vector<std::string>(kind == RestrictionKind::kCheckNsAccess ? 0 : 1,
                                       libmaps::to_string(*literal));
  if (domain.starts_with('[')) co_return std::vector<std::string>();
  if (kind == RestrictionKind::kCheckAAccess) co_return std::vector<std::string>(1, domain);
  const bool is_mx = kind == RestrictionKind::kCheckMxAccess;
  std::string name = domain;
  DnsAnswer answer = co_await ask_dns(name, is_mx ? DnsType::kMx : DnsType::kNs);
  // A name inside a zone has the zone's name servers.
  while (!is_mx && (answer.status == DnsStatus::kNoData || answer.status == DnsStatus::kNoSuchName) &&
         name.find('.') != std::string::npos) {
    name = name.substr(name.find('.') + 1);
    if (name.empty()) break;
    answer = co_await ask_dns(name, DnsType::kNs);
  }
  std::vector<std::string> hosts;
  for (const DnsRecord& record : answer.records)
    if (!record.data.empty()) hosts.push_back(record.data);
  const bool has_none = answer.status == DnsStatus::kNoData || answer.status == DnsStatus::kNoSuchName;
  if (is_mx && has_none) hosts.push_back(domain);
  if (hosts.empty() && answer.status != DnsStatus::kFound) {
    const bool is_name = is_temporary(answer.status) || target.subject == Subject::kClient;
    warn(concat("Unable to look up ", is_mx ? "MX" : "NS", " host for ", is_name ? domain : target.name, ": ",
                record_reason(answer.status)));
  }
  co_return hosts;
}

asio::awaitable<Outcome> Evaluation::act(const Restriction& restriction, const Found& found,
                                         std::string_view table, const Target& target) {
  note(&TraceStep::table, found.match->table);
  note(&TraceStep::key, found.match->key.text);
  return act_on_value(restriction, found.match->value, table, found.wanted, target);
}

bool Evaluation::is_action_out_of_place(const AccessAction& action, std::string_view table) {
  constexpr std::pair<ActionKind, std::string_view> kNames[] = {
      {ActionKind::kBcc, "BCC"},   {ActionKind::kDiscard, "DISCARD"}, {ActionKind::kFilter, "FILTER"},
      {ActionKind::kHold, "HOLD"}, {ActionKind::kPrepend, "PREPEND"}, {ActionKind::kRedirect, "REDIRECT"}};
  const auto* const name = std::find_if(std::begin(kNames), std::end(kNames),
                                        [&](const auto& each) { return each.first == action.kind; });
  if (name == std::end(kNames)) return false;
  if (state_.stage == SmtpStage::kEtrn && action.kind != ActionKind::kPrepend) {
    warn(concat("access table ", table, ": action ", name->second,
                " is unavailable in smtpd_etrn_restrictions"));
    return true;
  }
  // Where there is no message, Postfix says this, whatever the reason.
  if (state_.stage == SmtpStage::kConnect || state_.stage == SmtpStage::kXclient ||
      state_.stage == SmtpStage::kHelo || state_.stage == SmtpStage::kEhlo ||
      state_.stage == SmtpStage::kEtrn || state_.stage == SmtpStage::kVrfy) {
    warn(concat("access table ", table, ": with smtpd_delay_reject=no, action ", name->second,
                " is always skipped in Client host or Helo command restrictions"));
    return true;
  }
  if (action.kind == ActionKind::kPrepend && state_.stage == SmtpStage::kEndOfData) {
    warn(concat("access table ", table,
                ": action PREPEND must be used before smtpd_end_of_data_restrictions"));
    return true;
  }
  return false;
}

asio::awaitable<Outcome> Evaluation::act_on_value(const Restriction& restriction, std::string_view value,
                                                  std::string_view table, std::string_view key,
                                                  const Target& target) {
  note(&TraceStep::value, value);
  const AccessAction action = parse_access_action(value, table, key);
  if (!action.warning.empty()) warn(action.warning);
  if (is_action_out_of_place(action, table)) co_return Outcome::kDunno;

  const AccessSettings& values = parts_.values;
  const auto refusal = [&](int default_code, std::string_view default_text) {
    const int code = action.code != 0 ? action.code : default_code;
    std::string status = code < 500 ? "4.7.1" : "5.7.1";
    if (!action.status.empty()) {
      status = fitting_status(action.status, code, status_subject(target.subject));
      if (status.substr(1) != action.status.substr(1))
        verdict_.log.push_back(concat("mapping DSN status ", status.substr(0, 1), action.status.substr(1),
                                      " into ", subject_name(target.subject), " status ", status));
    }
    return reply_for(target, code, status, action.text.empty() ? default_text : action.text);
  };
  const auto text = [&](std::string_view instead) {
    return concat("<", target.name, ">: ", subject_name(target.subject), " ",
                  action.text.empty() ? instead : action.text);
  };
  const auto triggers = [&](std::string_view what) {
    return concat("<", target.name, ">: ", subject_name(target.subject), " triggers ", what, " ",
                  action.text);
  };
  switch (action.kind) {
    case ActionKind::kDunno:
    case ActionKind::kIgnored:
      co_return Outcome::kDunno;
    case ActionKind::kOk:
      break;
    case ActionKind::kReject:
      co_return reject(refusal(values.access_map_reject_code, "Access denied"));
    case ActionKind::kDefer:
      co_return reject(refusal(values.access_map_defer_code, "Access denied"));
    case ActionKind::kDeferIfReject:
      co_return defer_if_reject(refusal(values.access_map_defer_code, "Service unavailable"));
    case ActionKind::kDeferIfPermit:
      co_return defer_if_permit(refusal(values.access_map_defer_code, "Service unavailable"));
    case ActionKind::kDiscard:
      if (!state_.is_discarded) log("discard", text("triggers DISCARD action"));
      verdict_.actions.discard = true;
      permit("DISCARD", target, table);
      co_return Outcome::kDiscard;
    case ActionKind::kHold:
      if (!state_.is_held && !verdict_.actions.hold) log("hold", text("triggers HOLD action"));
      verdict_.actions.hold = true;
      co_return Outcome::kDunno;
    case ActionKind::kFilter:
      log("filter", triggers("FILTER"));
      verdict_.actions.filter = action.text;
      co_return Outcome::kDunno;
    case ActionKind::kRedirect:
      log("redirect", triggers("REDIRECT"));
      verdict_.actions.redirect = action.text;
      co_return Outcome::kDunno;
    case ActionKind::kBcc:
      log("bcc", triggers("BCC"));
      verdict_.actions.bcc.push_back(action.text);
      co_return Outcome::kDunno;
    case ActionKind::kPrepend:
      verdict_.actions.prepend.push_back(action.text);
      co_return Outcome::kDunno;
    case ActionKind::kInfo:
      log("info", action.text);
      co_return Outcome::kDunno;
    case ActionKind::kWarn:
      log("warn", action.text);
      co_return Outcome::kDunno;
    case ActionKind::kRestrictions:
      break;
  }
  Outcome outcome = Outcome::kPermit;
  if (action.kind == ActionKind::kRestrictions) {
    libconf::DiagnosticList warnings;
    const auto list = parts_.classes.parse_result(action.text, table, warnings);
    take_warnings(warnings);
    if (!list) {
      warn(list.error().message);
      co_return server_error();
    }
    // More than anybody means to; classes and tables that name one another reach it.
    constexpr int kDeepest = 100;
    if (depth_ >= kDeepest) {
      warn(concat("access table ", table, " entry \"", key, "\" causes unreasonable recursion"));
      co_return server_error();
    }
    const std::string outer = std::exchange(step_list_, std::string(table));
    const std::optional<Target> outer_target = std::exchange(table_target_, target);
    ++depth_;
    outcome = co_await run_restrictions(*list);
    --depth_;
    table_target_ = outer_target;
    step_list_ = outer;
  }
  if (action.kind == ActionKind::kOk) {
    std::string_view rest = value;
    permit(libconf::next_word(rest, libconf::kBlanks).value_or(""), target, table);
  }
  if (outcome != Outcome::kPermit) co_return outcome;
  if (must_not_permit(*restriction.type)) {
    warn(concat("restriction ", restriction.type->name, " returns OK for ", target.name));
    warn("this is not allowed for security reasons");
    warn("use DUNNO instead of OK if you want to make an exception");
    co_return server_error();
  }
  co_return outcome;
}

}  // namespace mta
