/// The right-hand side of header_checks(5) and body_checks(5): what to do about a line that matched.
///
///     CheckAction action = parse_check_action("REJECT 4.7.1 later", CheckTarget::kHeader, "header_checks");
///     // kReject, code 451, status "4.7.1", text "later"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mta {

/// header_checks(5), ACTIONS.
enum class CheckActionKind : std::uint8_t {
  kBcc,
  kDiscard,
  kDunno,
  kFilter,
  kHold,
  kIgnore,
  kInfo,
  kPass,
  kPrepend,
  kRedirect,
  kReject,
  kReplace,
  kStrip,
  kWarn,
};

/// What a table is asked about. Text for a header must be a header.
enum class CheckTarget : std::uint8_t { kHeader, kBody };

/// Whose checks they are. Those of delivery (smtp_header_checks) know only what changes or logs a line.
enum class CheckScope : std::uint8_t { kReceipt, kDelivery };

struct CheckAction {
  CheckActionKind kind = CheckActionKind::kDunno;
  std::string text =
      {};        ///< The argument: optional text, an address, a destination. Of kReject without the status.
  int code = 0;  ///< Of kReject: 451 or 550.
  std::string status =
      {};  ///< Of kReject: the enhanced status code, "5.7.1" unless the text has one (RFC 3463).
  std::string warning = {};  ///< What to warn of, in Postfix's words; empty: nothing.
};

/// Reads `value`, as it was found by the tables of `parameter` ("mime_header_checks"). Never fails: what is
/// wrong is a warning, and kDunno, as Postfix has it. Pure and thread-safe.
CheckAction parse_check_action(std::string_view value, CheckTarget target, std::string_view parameter,
                               CheckScope scope = CheckScope::kReceipt);

}  // namespace mta
