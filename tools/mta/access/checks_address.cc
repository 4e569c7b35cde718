// Restrictions that look at the form of names and addresses, and at where addresses belong.
#include "libconf/text.h"
#include "libmaps/ip_address.h"
#include "tools/mta/access/evaluation.h"
#include "tools/mta/access/host_name.h"

namespace mta {
namespace {

using libconf::concat;

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

bool is_fully_qualified(std::string_view name) {
  return is_valid_host_name(name) && without_final_dot(name).find('.') != std::string_view::npos;
}

struct ClassWords {
  int AccessSettings::*code;
  std::string_view table;
};

/// By AddressClass.
constexpr std::array kClassWords = {
    ClassWords{&AccessSettings::unknown_local_recipient_reject_code, "local recipient"},
    ClassWords{&AccessSettings::unknown_virtual_alias_reject_code, "virtual alias"},
    ClassWords{&AccessSettings::unknown_virtual_mailbox_reject_code, "virtual mailbox"},
    ClassWords{&AccessSettings::unknown_relay_recipient_reject_code, "relay recipient"},
};

}  // namespace

Outcome Evaluation::temporary_lookup_failure(const Target& target) {
  const Outcome outcome = reject(
      {.code = 451, .status = "4.3.0", .text = concat("<", target.name, ">: Temporary lookup failure")});
  if (outcome == Outcome::kReject) verdict_.error_class = ErrorClass::kData;
  return outcome;
}

bool Evaluation::is_authorised(const AddressInfo& info) const {
  return info.address_class != AddressClass::kDefault &&
         (parts_.values.allow_untrusted_routing || !info.has_sender_routing);
}

asio::awaitable<bool> Evaluation::is_auth_destination() {
  const AddressInfo* info = co_await resolve(*state_.recipient);
  if (info == nullptr) co_return false;
  co_return is_authorised(*info);
}

asio::awaitable<Outcome> Evaluation::check_auth_destination(const Restriction& restriction) {
  const auto target = target_of(Subject::kRecipient);
  if (!target) co_return Outcome::kDunno;
  const AddressInfo* info = co_await resolve(target->name);
  if (info == nullptr) co_return temporary_lookup_failure(*target);
  if (restriction.type->kind == RestrictionKind::kPermitAuthDestination)
    co_return is_authorised(*info) ? permit(restriction.type->name, *target) : Outcome::kDunno;
  if (is_authorised(*info)) co_return Outcome::kDunno;
  const bool defers = restriction.type->name.starts_with("defer");
  int code = parts_.values.relay_domains_reject_code;
  if (defers) code = 400 + code % 100;
  co_return reject({.code = code,
                    .status = code < 500 ? "4.7.1" : "5.7.1",
                    .text = concat("<", target->name, ">: Relay access denied")});
}

asio::awaitable<Outcome> Evaluation::check_invalid_helo(const Restriction&) {
  const auto target = target_of(Subject::kHelo);
  if (!target) co_return Outcome::kDunno;
  const std::string& name = target->name;
  const int code = parts_.values.invalid_hostname_reject_code;
  if (name.starts_with('[')) {
    if (bracketed_address(name)) co_return Outcome::kDunno;
    co_return reject_target(*target, code, "5.5.2", "invalid ip address");
  }
  if (is_valid_host_name(name) || libmaps::parse_ip_address(name)) co_return Outcome::kDunno;
  co_return reject_target(*target, code, "5.5.2", "Invalid name");
}

asio::awaitable<Outcome> Evaluation::check_non_fqdn(const Restriction& restriction) {
  const auto target = target_of(restriction.type->subject);
  if (!target) co_return Outcome::kDunno;
  const int code = parts_.values.non_fqdn_reject_code;
  if (target->subject == Subject::kHelo) {
    if (target->name.starts_with('[')) {
      if (bracketed_address(target->name)) co_return Outcome::kDunno;
      co_return reject_target(*target, parts_.values.invalid_hostname_reject_code, "5.5.2",
                              "invalid ip address");
    }
    if (is_fully_qualified(target->name)) co_return Outcome::kDunno;
    co_return reject_target(*target, code, "5.5.2", "need fully-qualified hostname");
  }
  if (target->name.empty() || libconf::equals_ignoring_case(target->name, "postmaster"))
    co_return Outcome::kDunno;
  const std::string_view domain = domain_of(target->name);
  if (domain.starts_with('[') || is_fully_qualified(domain)) co_return Outcome::kDunno;
  co_return reject_target(*target, code, "5.5.2", "need fully-qualified address");
}

asio::awaitable<Outcome> Evaluation::check_login_mismatch(const Restriction& restriction) {
  const auto target = target_of(Subject::kSender);
  if (!target || target->name.empty()) co_return Outcome::kDunno;
  const bool is_authenticated = state_.sasl.is_authenticated;
  const LoginMismatch which = restriction.type->login;
  if (which == LoginMismatch::kAuthenticated && !is_authenticated) co_return Outcome::kDunno;
  if (which == LoginMismatch::kUnauthenticated && is_authenticated) co_return Outcome::kDunno;
  const AddressInfo* info = co_await resolve(target->name);
  if (info == nullptr) co_return temporary_lookup_failure(*target);
  auto found = parts_.login_maps ? parts_.login_maps->find(info->address)
                                 : libconf::Result<std::optional<libmaps::AddressMatch>>(std::nullopt);
  if (!found) {
    warn(found.error().message);
    co_return temporary_lookup_failure(*target);
  }
  constexpr int kNotAllowed = 553;
  const bool has_owner = found->has_value();
  if (has_owner) {
    note(&TraceStep::table, (*found)->table);
    note(&TraceStep::key, (*found)->key.text);
    note(&TraceStep::value, (*found)->value);
  }
  if (!is_authenticated) {
    if (!has_owner) co_return Outcome::kDunno;
    co_return reject_target(*target, kNotAllowed, "5.7.1", "not logged in");
  }
  if (!has_owner && which == LoginMismatch::kKnown) co_return Outcome::kDunno;
  std::string_view owners = has_owner ? std::string_view((*found)->value) : "";
  while (const auto owner = libconf::next_word(owners, libconf::kListSeparators))
    if (libconf::equals_ignoring_case(*owner, state_.sasl.username)) co_return Outcome::kDunno;
  co_return reject_target(*target, kNotAllowed, "5.7.1", concat("not owned by user ", state_.sasl.username));
}

asio::awaitable<Outcome> Evaluation::check_unlisted(const Restriction& restriction) {
  const Subject subject = restriction.type->subject;
  const auto target = target_of(subject);
  if (!target || target->name.empty()) co_return Outcome::kDunno;
  const AddressInfo* info = co_await resolve(target->name);
  if (info == nullptr) co_return temporary_lookup_failure(*target);
  const auto found = parts_.listing->find(*info);
  if (!found) {
    warn(found.error().message);
    co_return temporary_lookup_failure(*target);
  }
  const StatusSubject status_subject =
      subject == Subject::kSender ? StatusSubject::kSender : StatusSubject::kRecipient;
  if (found->listing == Listing::kRelocated) {
    constexpr int kUnavailable = 550;
    co_return reject_target(*target, kUnavailable, fitting_status("5.1.6", kUnavailable, status_subject),
                            concat("User has moved to ", found->new_address));
  }
  if (found->listing == Listing::kListed || info->address_class == AddressClass::kDefault)
    co_return Outcome::kDunno;
  const ClassWords& words = kClassWords[static_cast<std::size_t>(info->address_class)];
  std::string status = subject == Subject::kSender ? "5.1.0" : "5.1.1";
  // Postfix has this one from its virtual alias error, which is worded for recipients.
  if (info->address_class == AddressClass::kVirtualAlias)
    status = fitting_status("5.1.1", parts_.values.*words.code, status_subject);
  const std::string text = parts_.values.show_user_unknown_table_name
                               ? concat("User unknown in ", words.table, " table")
                               : "User unknown";
  co_return reject_target(*target, parts_.values.*words.code, status, text);
}

asio::awaitable<Outcome> Evaluation::check_unverified(const Restriction& restriction) {
  const auto target = target_of(restriction.type->subject);
  if (!target || target->name.empty()) co_return Outcome::kDunno;
  const AccessSettings& values = parts_.values;
  const bool is_sender = target->subject == Subject::kSender;
  const Verification verification =
      co_await parts_.services.verifier.verify(target->name, values.address_verify_patience);
  note(&TraceStep::value, verification.reason);
  if (verification.status == VerificationStatus::kDeliverable) co_return Outcome::kDunno;
  const bool is_known = verification.status == VerificationStatus::kUndeliverable;
  int code = is_sender ? values.unverified_sender_defer_code : values.unverified_recipient_defer_code;
  if (is_known)
    code = is_sender ? values.unverified_sender_reject_code : values.unverified_recipient_reject_code;
  if (code < 400) co_return Outcome::kDunno;
  const std::string& own_reason =
      is_sender ? values.unverified_sender_reject_reason : values.unverified_recipient_reject_reason;
  // A refusal that is for now only does not say more than that.
  const std::string text = concat(code / 100 == 5 ? "undeliverable" : "unverified",
                                  " address: ", own_reason.empty() ? verification.reason : own_reason);
  AccessReply reply = reply_for(*target, code, is_sender ? "5.1.7" : "5.1.1", text);
  if (is_known) co_return reject(std::move(reply));
  co_return reject_temporarily(
      is_sender ? values.unverified_sender_tempfail_action : values.unverified_recipient_tempfail_action,
      std::move(reply));
}

}  // namespace mta
