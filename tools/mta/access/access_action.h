/// The right-hand sides of access(5), and what a policy server answers (SMTPD_POLICY_README).
///
///     AccessAction action = parse_access_action("REJECT 5.1.1 No such user", "hash:/etc/postfix/access",
///     "a@b"); action.kind == ActionKind::kReject; action.status == "5.1.1"; action.text == "No such user";
///
/// All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mta {

enum class ActionKind : std::uint8_t {
  kOk,
  kDunno,
  kReject,  ///< REJECT, or a 5xx code of its own.
  kDefer,   ///< DEFER, or a 4xx code of its own.
  kDeferIfReject,
  kDeferIfPermit,
  kDiscard,
  kHold,
  kFilter,
  kRedirect,
  kBcc,
  kPrepend,
  kInfo,
  kWarn,
  kRestrictions,  ///< Names of restrictions, to be applied.
  kIgnored,       ///< Malformed: logged, and passed over as DUNNO is.
};

/// A parsed action.
struct AccessAction {
  ActionKind kind = ActionKind::kDunno;
  int code = 0;              ///< Three digits of the entry's own; 0: the configured code of the action.
  std::string status = {};   ///< An enhanced status code of the entry's own (RFC 3463); empty: none.
  std::string text = {};     ///< What follows: a reason, a destination, a header, names of restrictions.
  std::string warning = {};  ///< What is to be logged about the entry; empty: nothing.
};

/// Reads `value`, which `table` has for `key`; both are for warnings, worded as Postfix words them.
AccessAction parse_access_action(std::string_view value, std::string_view table, std::string_view key);

/// What a reply is about, which decides what a status code in an entry may say (access(5), ENHANCED STATUS
/// CODES).
enum class StatusSubject : std::uint8_t { kSender, kRecipient, kOther };

/// `status` as it fits a reply about `subject`, with the class of `code`: a sender's status becomes the
/// recipient's, an address status without an address becomes "x.0.0". REQUIRES: status_length() of it is its
/// size.
std::string fitting_status(std::string_view status, int code, StatusSubject subject);

}  // namespace mta
