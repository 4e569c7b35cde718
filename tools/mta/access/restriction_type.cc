#include "tools/mta/access/restriction_type.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "libconf/text.h"

namespace mta {
namespace {

using enum RestrictionKind;
using Argument = RestrictionArgument;

constexpr RestrictionType access(std::string_view name, RestrictionKind kind, Subject subject) {
  return {.name = name, .kind = kind, .subject = subject, .argument = Argument::kTable};
}
constexpr RestrictionType dns_list(std::string_view name, RestrictionKind kind, Subject subject) {
  return {.name = name, .kind = kind, .subject = subject, .argument = Argument::kDnsList};
}
constexpr RestrictionType plain(std::string_view name, RestrictionKind kind,
                                Subject subject = Subject::kNone) {
  return {.name = name, .kind = kind, .subject = subject};
}
constexpr RestrictionType login(std::string_view name, LoginMismatch which) {
  return {.name = name, .kind = kRejectLoginMismatch, .subject = Subject::kSender, .login = which};
}
constexpr RestrictionType removed(std::string_view name, std::string_view replacement) {
  return {.name = name, .kind = kRemoved, .replacement = replacement};
}

constexpr std::array kTypes = {
    access("check_ccert_access", kCheckCertificateAccess, Subject::kCertificate),
    access("check_client_a_access", kCheckAAccess, Subject::kClient),
    access("check_client_access", kCheckAccess, Subject::kClient),
    access("check_client_mx_access", kCheckMxAccess, Subject::kClient),
    access("check_client_ns_access", kCheckNsAccess, Subject::kClient),
    access("check_etrn_access", kCheckAccess, Subject::kEtrn),
    access("check_helo_a_access", kCheckAAccess, Subject::kHelo),
    access("check_helo_access", kCheckAccess, Subject::kHelo),
    access("check_helo_mx_access", kCheckMxAccess, Subject::kHelo),
    access("check_helo_ns_access", kCheckNsAccess, Subject::kHelo),
    RestrictionType{
        .name = "check_policy_service", .kind = kCheckPolicyService, .argument = Argument::kPolicyService},
    access("check_recipient_a_access", kCheckAAccess, Subject::kRecipient),
    access("check_recipient_access", kCheckAccess, Subject::kRecipient),
    plain("check_recipient_maps", kRejectUnlisted, Subject::kRecipient),
    access("check_recipient_mx_access", kCheckMxAccess, Subject::kRecipient),
    access("check_recipient_ns_access", kCheckNsAccess, Subject::kRecipient),
    removed("check_relay_domains", "specify \"reject_unauth_destination\""),
    access("check_reverse_client_hostname_a_access", kCheckAAccess, Subject::kReverseClient),
    access("check_reverse_client_hostname_access", kCheckAccess, Subject::kReverseClient),
    access("check_reverse_client_hostname_mx_access", kCheckMxAccess, Subject::kReverseClient),
    access("check_reverse_client_hostname_ns_access", kCheckNsAccess, Subject::kReverseClient),
    access("check_sasl_access", kCheckSaslAccess, Subject::kSasl),
    access("check_sender_a_access", kCheckAAccess, Subject::kSender),
    access("check_sender_access", kCheckAccess, Subject::kSender),
    access("check_sender_mx_access", kCheckMxAccess, Subject::kSender),
    access("check_sender_ns_access", kCheckNsAccess, Subject::kSender),
    plain("defer", kDefer),
    plain("defer_if_permit", kDeferIfPermit),
    plain("defer_if_reject", kDeferIfReject),
    plain("defer_unauth_destination", kRejectUnauthDestination, Subject::kRecipient),
    plain("permit", kPermit),
    plain("permit_auth_destination", kPermitAuthDestination),
    dns_list("permit_dnswl_client", kPermitAddressList, Subject::kClient),
    plain("permit_inet_interfaces", kPermitInetInterfaces),
    plain("permit_mx_backup", kPermitMxBackup),
    plain("permit_mynetworks", kPermitMynetworks),
    removed("permit_naked_ip_address", "specify \"permit_mynetworks\" or \"permit_sasl_authenticated\""),
    dns_list("permit_rhswl_client", kPermitNameList, Subject::kClient),
    plain("permit_sasl_authenticated", kPermitSaslAuthenticated),
    plain("permit_tls_all_clientcerts", kPermitAllCertificates),
    plain("permit_tls_clientcerts", kPermitCertificates),
    plain("reject", kReject),
    login("reject_authenticated_sender_login_mismatch", LoginMismatch::kAuthenticated),
    plain("reject_invalid_helo_hostname", kRejectInvalidHelo, Subject::kHelo),
    plain("reject_invalid_hostname", kRejectInvalidHelo, Subject::kHelo),
    login("reject_known_sender_login_mismatch", LoginMismatch::kKnown),
    removed("reject_maps_rbl", "specify \"reject_rbl_client domain-name\""),
    plain("reject_multi_recipient_bounce", kRejectMultiRecipientBounce),
    plain("reject_non_fqdn_helo_hostname", kRejectNonFqdn, Subject::kHelo),
    plain("reject_non_fqdn_hostname", kRejectNonFqdn, Subject::kHelo),
    plain("reject_non_fqdn_recipient", kRejectNonFqdn, Subject::kRecipient),
    plain("reject_non_fqdn_sender", kRejectNonFqdn, Subject::kSender),
    plain("reject_plaintext_session", kRejectPlaintextSession),
    dns_list("reject_rbl", kRejectAddressList, Subject::kClient),
    dns_list("reject_rbl_client", kRejectAddressList, Subject::kClient),
    dns_list("reject_rhsbl_client", kRejectNameList, Subject::kClient),
    dns_list("reject_rhsbl_helo", kRejectNameList, Subject::kHelo),
    dns_list("reject_rhsbl_recipient", kRejectNameList, Subject::kRecipient),
    dns_list("reject_rhsbl_reverse_client", kRejectNameList, Subject::kReverseClient),
    dns_list("reject_rhsbl_sender", kRejectNameList, Subject::kSender),
    login("reject_sender_login_mismatch", LoginMismatch::kAll),
    plain("reject_unauth_destination", kRejectUnauthDestination, Subject::kRecipient),
    plain("reject_unauth_pipelining", kRejectUnauthPipelining),
    login("reject_unauthenticated_sender_login_mismatch", LoginMismatch::kUnauthenticated),
    plain("reject_unknown_address", kRejectUnknownDomain, Subject::kSender),
    plain("reject_unknown_client", kRejectUnknownClient, Subject::kClient),
    plain("reject_unknown_client_hostname", kRejectUnknownClient, Subject::kClient),
    plain("reject_unknown_helo_hostname", kRejectUnknownDomain, Subject::kHelo),
    plain("reject_unknown_hostname", kRejectUnknownDomain, Subject::kHelo),
    plain("reject_unknown_recipient_domain", kRejectUnknownDomain, Subject::kRecipient),
    plain("reject_unknown_reverse_client_hostname", kRejectUnknownClient, Subject::kReverseClient),
    plain("reject_unknown_sender_domain", kRejectUnknownDomain, Subject::kSender),
    plain("reject_unlisted_recipient", kRejectUnlisted, Subject::kRecipient),
    plain("reject_unlisted_sender", kRejectUnlisted, Subject::kSender),
    plain("reject_unverified_recipient", kRejectUnverified, Subject::kRecipient),
    plain("reject_unverified_sender", kRejectUnverified, Subject::kSender),
    RestrictionType{.name = "sleep", .kind = kSleep, .argument = Argument::kSeconds},
    plain("warn_if_reject", kWarnIfReject),
};

constexpr bool types_are_sorted() {
  for (std::size_t i = 1; i < kTypes.size(); ++i)
    if (!(kTypes[i - 1].name < kTypes[i].name)) return false;
  return true;
}
static_assert(types_are_sorted());

}  // namespace

constinit const RestrictionType kClassType{.name = "restriction class", .kind = kClass};
constinit const RestrictionType kTableType{.name = "table", .kind = kTable, .argument = Argument::kTable};
constinit const RestrictionType kUnknownType{.name = "unknown", .kind = kUnknown};

std::string_view subject_name(Subject subject) {
  constexpr std::array<std::string_view, 11> kNames = {
      "",
      "Client host",
      "Unverified Client host",
      "Helo command",
      "Sender address",
      "Recipient address",
      "Etrn command",
      "Data command",
      "End-of-data",
      "SASL login name",
      "Client certificate",
  };
  return kNames[static_cast<std::size_t>(subject)];
}

std::span<const RestrictionType> restriction_types() { return kTypes; }

const RestrictionType* find_restriction_type(std::string_view name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const RestrictionType& type) {
    return libconf::equals_ignoring_case(type.name, name);
  });
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace mta
