/// Every restriction of Postfix 3.12, by name (postconf(5), smtpd_client_restrictions and its kin).
///
///     const RestrictionType* type = find_restriction_type("check_sender_mx_access");
///     type->kind == RestrictionKind::kCheckMxAccess && type->subject == Subject::kSender;
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mta {

/// What a restriction looks at, and what a reply of it says is rejected.
enum class Subject : std::uint8_t {
  kNone,
  kClient,
  kReverseClient,
  kHelo,
  kSender,
  kRecipient,
  kEtrn,
  kData,
  kEndOfData,
  kSasl,
  kCertificate,
};

/// "Client host", "Sender address" and so on, as replies have them.
std::string_view subject_name(Subject subject);

enum class RestrictionKind : std::uint8_t {
  kCheckAAccess,
  kCheckAccess,
  kCheckCertificateAccess,
  kCheckMxAccess,
  kCheckNsAccess,
  kCheckPolicyService,
  kCheckSaslAccess,
  kClass,  ///< A name of smtpd_restriction_classes.
  kDefer,
  kDeferIfPermit,
  kDeferIfReject,
  kPermit,
  kPermitAddressList,  ///< A DNS list that has client addresses.
  kPermitAllCertificates,
  kPermitAuthDestination,
  kPermitCertificates,
  kPermitInetInterfaces,
  kPermitMxBackup,
  kPermitMynetworks,
  kPermitNameList,  ///< A DNS list that has names.
  kPermitSaslAuthenticated,
  kReject,
  kRejectAddressList,
  kRejectInvalidHelo,
  kRejectLoginMismatch,
  kRejectMultiRecipientBounce,
  kRejectNameList,
  kRejectNonFqdn,
  kRejectPlaintextSession,
  kRejectUnauthDestination,
  kRejectUnauthPipelining,
  kRejectUnknownClient,
  kRejectUnknownDomain,
  kRejectUnlisted,
  kRejectUnverified,
  kRemoved,  ///< Postfix had it once.
  kSleep,
  kTable,    ///< A bare type:table: the access table of the list that it stands in.
  kUnknown,  ///< No restriction at all.
  kWarnIfReject,
};

/// What stands behind the name.
enum class RestrictionArgument : std::uint8_t { kNone, kTable, kDnsList, kPolicyService, kSeconds };

/// Which senders kRejectLoginMismatch looks at.
enum class LoginMismatch : std::uint8_t { kNone, kAll, kAuthenticated, kUnauthenticated, kKnown };

struct RestrictionType {
  std::string_view name;
  RestrictionKind kind;
  Subject subject = Subject::kNone;
  RestrictionArgument argument = RestrictionArgument::kNone;
  LoginMismatch login = LoginMismatch::kNone;
  std::string_view replacement = {};  ///< Of kRemoved.
};

/// All that a list can name, sorted by name (bytes), with the names of older releases that still work.
std::span<const RestrictionType> restriction_types();

/// The row of `name`, in any case of letters; nullptr: there is none.
const RestrictionType* find_restriction_type(std::string_view name);

/// The rows of what has no fixed name.
extern const RestrictionType kClassType;
extern const RestrictionType kTableType;
extern const RestrictionType kUnknownType;

}  // namespace mta
