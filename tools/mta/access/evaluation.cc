#include "tools/mta/access/evaluation.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/access/policy_protocol.h"

namespace mta {
namespace {

using libconf::concat;

std::string to_text(const AccessReply& reply) {
  return concat(std::to_string(reply.code), " ", reply.status, " ", reply.text);
}

/// soft_bounce: nothing is refused for good.
AccessReply softened(AccessReply reply) {
  if (reply.code < 500) return reply;
  reply.code -= 100;
  if (!reply.status.empty()) reply.status[0] = '4';
  return reply;
}

StepResult to_step_result(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPermit:
      return StepResult::kPermit;
    case Outcome::kReject:
      return StepResult::kReject;
    case Outcome::kDiscard:
      return StepResult::kDiscard;
    case Outcome::kDunno:
      break;
  }
  return StepResult::kDunno;
}

/// An address as the log shows it: a local part that needs quotes has them (RFC 5321, 4.1.2).
std::string quoted(std::string_view address) {
  const std::size_t at = address.rfind('@');
  const std::string_view local = address.substr(0, at);
  const bool is_plain = !local.starts_with('.') && !local.ends_with('.') &&
                        local.find("..") == std::string_view::npos &&
                        local.find_first_of(" \"(),:;<>@[\\]\t") == std::string_view::npos;
  if (is_plain) return std::string(address);
  std::string out = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return concat(out, "\"", at == std::string_view::npos ? "" : address.substr(at));
}

}  // namespace

asio::awaitable<void> Evaluation::run() {
  const Outcome outcome = co_await run_stage();
  if (outcome == Outcome::kDiscard) verdict_.kind = VerdictKind::kDiscard;
}

bool Evaluation::is_bare_postmaster() const {
  return state_.recipient && libconf::equals_ignoring_case(*state_.recipient, "postmaster");
}

asio::awaitable<Outcome> Evaluation::run_stage() {
  const bool delays = parts_.values.smtpd_delay_reject;
  Outcome outcome = Outcome::kDunno;
  switch (state_.stage) {
    case SmtpStage::kConnect:
    case SmtpStage::kXclient:
      if (!delays) {
        outcome = co_await run_client();
        memory_.client = deferred_if_permit_;
      }
      co_return outcome;
    case SmtpStage::kHelo:
    case SmtpStage::kEhlo:
      if (!delays) {
        outcome = co_await run_helo();
        memory_.helo = deferred_if_permit_;
      }
      co_return outcome;
    case SmtpStage::kMail:
      if (!delays) {
        outcome = co_await run_sender();
        memory_.sender = deferred_if_permit_;
      }
      co_return outcome;
    case SmtpStage::kRcpt:
    case SmtpStage::kVrfy:
      // What is thrown away need not be looked at.
      if (state_.is_discarded) co_return Outcome::kDiscard;
      co_return co_await run_recipient();
    case SmtpStage::kData:
      if (state_.is_discarded) co_return Outcome::kDiscard;
      outcome = co_await run_list(parts_.list(ListName::kData));
      co_return finish_deferred(outcome);
    case SmtpStage::kEndOfData:
      if (state_.is_discarded) co_return Outcome::kDiscard;
      outcome = co_await run_list(parts_.list(ListName::kEndOfData));
      co_return finish_deferred(outcome);
    case SmtpStage::kEtrn:
      if (delays) {
        // There is no mail that could be thrown away.
        outcome = co_await run_client();
        if (outcome != Outcome::kReject) outcome = co_await run_helo();
      } else {
        deferred_if_permit_ = memory_.helo ? memory_.helo : memory_.client;
      }
      deferred_if_reject_.reset();
      if (outcome != Outcome::kReject) outcome = co_await run_list(parts_.list(ListName::kEtrn));
      co_return finish_deferred(outcome);
  }
  co_return outcome;
}

asio::awaitable<Outcome> Evaluation::run_client() {
  // What is pending from the lists of one command does not change what those of the next reject.
  deferred_if_reject_.reset();
  co_return co_await run_list(parts_.list(ListName::kClient));
}

asio::awaitable<Outcome> Evaluation::run_helo() {
  deferred_if_reject_.reset();
  if (!state_.helo) co_return Outcome::kDunno;
  co_return co_await run_list(parts_.list(ListName::kHelo));
}

asio::awaitable<Outcome> Evaluation::run_sender() {
  deferred_if_reject_.reset();
  if (!state_.sender) co_return Outcome::kDunno;
  Outcome outcome = co_await run_list(parts_.list(ListName::kSender));
  if (outcome < Outcome::kReject && parts_.values.smtpd_reject_unlisted_sender)
    outcome = co_await run_list(parts_.unlisted_sender);
  co_return outcome;
}

asio::awaitable<Outcome> Evaluation::run_recipient() {
  // RFC 5321, 4.5.1: there must be a way to reach the postmaster.
  if (is_bare_postmaster()) co_return Outcome::kPermit;
  Outcome outcome = Outcome::kDunno;
  if (parts_.values.smtpd_delay_reject) {
    outcome = co_await run_client();
    if (outcome < Outcome::kReject) outcome = co_await run_helo();
    if (outcome < Outcome::kReject) outcome = co_await run_sender();
  } else {
    for (const auto* earlier : {&memory_.client, &memory_.helo, &memory_.sender})
      if (*earlier && !deferred_if_permit_) deferred_if_permit_ = **earlier;
  }
  deferred_if_reject_.reset();
  const bool relay_first = parts_.values.smtpd_relay_before_recipient_restrictions;
  const ListName first = relay_first ? ListName::kRelay : ListName::kRecipient;
  const ListName second = relay_first ? ListName::kRecipient : ListName::kRelay;
  if (outcome < Outcome::kReject) outcome = co_await run_list(parts_.list(first));
  if (outcome < Outcome::kReject) outcome = co_await run_list(parts_.list(second));
  outcome = finish_deferred(outcome);
  if (outcome < Outcome::kReject && parts_.values.smtpd_reject_unlisted_recipient)
    outcome = co_await run_list(parts_.unlisted_recipient);
  co_return outcome;
}

Outcome Evaluation::finish_deferred(Outcome outcome) {
  // To throw mail away is to permit it, as far as the client knows.
  if (outcome == Outcome::kReject || !deferred_if_permit_) return outcome;
  warn_only_ = 0;
  outcome = reject(*deferred_if_permit_);
  if (trace_ != nullptr) trace_->deferred(verdict_.reply);
  return outcome;
}

asio::awaitable<Outcome> Evaluation::run_list(const NamedList& list) {
  list_ = &list;
  step_list_ = list.parameter;
  if (trace_ != nullptr)
    trace_->begin_list({.parameter = list.parameter,
                        .file = list.file,
                        .line = list.line,
                        .is_empty = list.restrictions.empty()});
  co_return co_await run_restrictions(list_->restrictions);
}

asio::awaitable<Outcome> Evaluation::run_restrictions(const RestrictionList& restrictions) {
  for (const Restriction& restriction : restrictions) {
    Outcome outcome = Outcome::kDunno;
    if (trace_ == nullptr)
      outcome = co_await apply(restriction);
    else
      outcome = co_await apply_traced(restriction);
    if (outcome != Outcome::kDunno) co_return outcome;
    // Whatever this list would say further on, mail is deferred.
    if (deferred_if_permit_ && deferred_if_reject_) break;
  }
  co_return Outcome::kDunno;
}

asio::awaitable<Outcome> Evaluation::apply_traced(const Restriction& restriction) {
  TraceStep step{.list = step_list_,
                 .file = list_->file,
                 .line = list_->line,
                 .depth = depth_,
                 .restriction = restriction.text,
                 .warns_only = restriction.warn_only};
  TraceStep* const outer = std::exchange(step_, &step);
  trace_->begin_restriction(step);
  const Outcome outcome = co_await apply(restriction);
  if (outcome != Outcome::kDunno) step.result = to_step_result(outcome);
  step_ = outer;
  trace_->end_restriction(step);
  co_return outcome;
}

asio::awaitable<Outcome> Evaluation::apply(const Restriction& restriction) {
  if (restriction.warn_only) ++warn_only_;
  Outcome outcome = Outcome::kDunno;
  for (const std::string& warning : restriction.warnings) warn(warning);
  if (!restriction.warnings.empty()) {
    if (restriction.fault_outcome == FaultOutcome::kServerError) outcome = server_error();
  } else {
    const auto& all = handlers();
    const auto handler = std::find_if(
        all.begin(), all.end(), [&](const Handler& each) { return each.kind == restriction.type->kind; });
    const Method method = handler->method;
    outcome = co_await (this->*method)(restriction);
  }
  if (restriction.warn_only) --warn_only_;
  co_return outcome;
}

const std::vector<Evaluation::Handler>& Evaluation::handlers() {
  using enum RestrictionKind;
  using E = Evaluation;
  static const std::vector<Handler> kHandlers = {
      {kCheckAAccess, &E::check_host_access},
      {kCheckAccess, &E::check_access},
      {kCheckCertificateAccess, &E::check_certificate_access},
      {kCheckMxAccess, &E::check_host_access},
      {kCheckNsAccess, &E::check_host_access},
      {kCheckPolicyService, &E::check_policy},
      {kCheckSaslAccess, &E::check_sasl_access},
      {kClass, &E::check_class},
      {kDefer, &E::check_constant},
      {kDeferIfPermit, &E::check_constant},
      {kDeferIfReject, &E::check_constant},
      {kPermit, &E::check_constant},
      {kPermitAddressList, &E::check_dns_list},
      {kPermitAllCertificates, &E::check_permit_client},
      {kPermitAuthDestination, &E::check_auth_destination},
      {kPermitCertificates, &E::check_permit_client},
      {kPermitInetInterfaces, &E::check_permit_client},
      {kPermitMxBackup, &E::check_mx_backup},
      {kPermitMynetworks, &E::check_permit_client},
      {kPermitNameList, &E::check_dns_list},
      {kPermitSaslAuthenticated, &E::check_permit_client},
      {kReject, &E::check_constant},
      {kRejectAddressList, &E::check_dns_list},
      {kRejectInvalidHelo, &E::check_invalid_helo},
      {kRejectLoginMismatch, &E::check_login_mismatch},
      {kRejectMultiRecipientBounce, &E::check_multi_recipient_bounce},
      {kRejectNameList, &E::check_dns_list},
      {kRejectNonFqdn, &E::check_non_fqdn},
      {kRejectPlaintextSession, &E::check_session},
      {kRejectUnauthDestination, &E::check_auth_destination},
      {kRejectUnauthPipelining, &E::check_session},
      {kRejectUnknownClient, &E::check_unknown_client},
      {kRejectUnknownDomain, &E::check_unknown_domain},
      {kRejectUnlisted, &E::check_unlisted},
      {kRejectUnverified, &E::check_unverified},
      // Those without a method of their own always have a warning instead.
      {kRemoved, &E::check_constant},
      {kSleep, &E::check_sleep},
      {kTable, &E::check_bare_table},
      {kUnknown, &E::check_constant},
  };
  return kHandlers;
}

Outcome Evaluation::reject(AccessReply reply) {
  const bool is_permanent = reply.code >= 500;
  if (warn_only_ == 0 && is_permanent && deferred_if_reject_) reply = *deferred_if_reject_;
  if (parts_.values.soft_bounce) reply = softened(std::move(reply));
  const std::string text = to_text(reply);
  note(&TraceStep::reply, text);
  if (warn_only_ > 0) {
    log("reject_warning", text);
    note(StepResult::kWarned);
    return Outcome::kDunno;
  }
  log("reject", text);
  verdict_.kind = VerdictKind::kReject;
  verdict_.reply = text;
  verdict_.closes_session = reply.code == 421 || reply.code == 521;
  return Outcome::kReject;
}

AccessReply Evaluation::reply_for(const Target& target, int code, std::string_view status,
                                  std::string_view text) const {
  AccessReply reply{.code = code, .status = std::string(status)};
  if (!reply.status.empty()) reply.status[0] = static_cast<char>('0' + code / 100);
  reply.text = concat("<", target.name, ">: ", subject_name(target.subject), " rejected: ", text);
  return reply;
}

Outcome Evaluation::reject_target(const Target& target, int code, std::string_view status,
                                  std::string_view text) {
  return reject(reply_for(target, code, status, text));
}

Outcome Evaluation::server_error() {
  // A mistake in the configuration is not something to be only warned of.
  const int outer = std::exchange(warn_only_, 0);
  const Outcome outcome = reject({.code = 451, .status = "4.3.5", .text = "Server configuration error"});
  warn_only_ = outer;
  return outcome;
}

Outcome Evaluation::reject_temporarily(bool at_once, AccessReply reply) {
  return at_once ? reject(std::move(reply)) : defer_if_permit(std::move(reply));
}

Outcome Evaluation::defer_if_permit(AccessReply reply) {
  const std::string text = to_text(reply);
  note(&TraceStep::reply, text);
  if (warn_only_ > 0) {
    log("reject_warning", text);
    note(StepResult::kWarned);
    return Outcome::kDunno;
  }
  note(StepResult::kDeferIfPermit);
  if (!deferred_if_permit_) deferred_if_permit_ = std::move(reply);
  return Outcome::kDunno;
}

Outcome Evaluation::defer_if_reject(AccessReply reply) {
  if (step_ != nullptr) step_->reply = to_text(reply);
  note(StepResult::kDeferIfReject);
  if (!deferred_if_reject_) deferred_if_reject_ = std::move(reply);
  return Outcome::kDunno;
}

void Evaluation::log(std::string_view action, std::string_view text) {
  std::string line = concat(state_.queue_id.empty() ? "NOQUEUE" : state_.queue_id, ": ", action, ": ",
                            command_name(state_), " from ", client_text(), ": ", text, ";");
  if (state_.sender) line += concat(" from=<", quoted(*state_.sender), ">");
  if (state_.recipient) line += concat(" to=<", quoted(*state_.recipient), ">");
  line += concat(" proto=", state_.protocol);
  if (state_.helo) line += concat(" helo=<", *state_.helo, ">");
  verdict_.log.push_back(std::move(line));
}

void Evaluation::warn(std::string_view text) { verdict_.log.push_back(concat("warning: ", text)); }

void Evaluation::take_warnings(const libconf::DiagnosticList& list) {
  for (const libconf::Diagnostic& each : list.items()) warn(each.message);
}

Outcome Evaluation::permit(std::string_view action, const Target& target, std::string_view table) {
  // With a DEFER_IF_PERMIT pending, this is no permission.
  if (!parts_.logged_permits || deferred_if_permit_) return Outcome::kPermit;
  const auto is_logged = parts_.logged_permits->matches(action);
  if (is_logged && *is_logged)
    log("permit", concat("action=", action, " for ", subject_name(target.subject), "=", target.name, " ",
                         table.empty() ? "" : concat("from ", table)));
  return Outcome::kPermit;
}

std::string Evaluation::client_text() const {
  std::string text = concat(state_.client.name, "[", state_.client.address, "]");
  if (parts_.values.smtpd_client_port_logging) text += concat(":", state_.client.port);
  return text;
}

std::optional<Target> Evaluation::target_of(Subject subject) const {
  switch (subject) {
    case Subject::kClient:
      return Target{subject, client_text()};
    case Subject::kReverseClient:
      return Target{subject, state_.client.reverse_name};
    case Subject::kHelo:
      if (state_.helo) return Target{subject, *state_.helo};
      return std::nullopt;
    case Subject::kSender:
      if (state_.sender) return Target{subject, *state_.sender};
      return std::nullopt;
    case Subject::kRecipient:
      if (state_.recipient) return Target{subject, *state_.recipient};
      return std::nullopt;
    case Subject::kEtrn:
      if (state_.stage == SmtpStage::kEtrn) return Target{subject, state_.etrn_domain};
      return std::nullopt;
    case Subject::kData:
      return Target{subject, "DATA"};
    case Subject::kEndOfData:
      return Target{subject, "END-OF-MESSAGE"};
    case Subject::kSasl:
      if (state_.sasl.is_authenticated) return Target{subject, state_.sasl.username};
      return std::nullopt;
    case Subject::kCertificate:
    case Subject::kNone:
      break;
  }
  return std::nullopt;
}

Target Evaluation::list_target() const {
  if (table_target_) return *table_target_;
  const auto target = target_of(list_->subject);
  return target ? *target : Target{Subject::kClient, client_text()};
}

asio::awaitable<const AddressInfo*> Evaluation::resolve(const std::string& address) {
  const auto known = addresses_.find(address);
  if (known != addresses_.end()) co_return &known->second;
  auto info = co_await parts_.services.addresses.resolve(address);
  if (!info) {
    warn(info.error().message);
    co_return nullptr;
  }
  co_return &addresses_.emplace(address, std::move(*info)).first->second;
}

asio::awaitable<DnsAnswer> Evaluation::ask_dns(std::string name, DnsType type) {
  return ask(parts_.services.resolver, answers_, std::move(name), type);
}

asio::awaitable<DnsAnswer> Evaluation::ask_host(std::string name, DnsType type) {
  return ask(parts_.services.hosts, hosts_, std::move(name), type);
}

asio::awaitable<DnsAnswer> Evaluation::ask(Resolver& resolver, Answers& known, std::string name,
                                           DnsType type) {
  const auto key = std::pair(name, type);
  const auto found = known.find(key);
  if (found != known.end()) co_return found->second;
  DnsAnswer answer = co_await resolver.resolve(std::move(name), type);
  known[key] = answer;
  co_return answer;
}

}  // namespace mta
