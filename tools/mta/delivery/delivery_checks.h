/// What smtp_header_checks, smtp_mime_header_checks, smtp_nested_header_checks and smtp_body_checks do to
/// content on its way out (smtp(8), header_checks(5)); for LMTP, lmtp_header_checks and so on.
///
///     auto checks = DeliveryChecks::open("smtp_", context, log, tag);
///     Result<CheckAction> action = (*checks)->check(CheckClass::kHeader, "Subject: x", "4A1B2C3D4E");
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tools/mta/content/content_checks.h"
#include "tools/mta/daemon/mail_log.h"

namespace mta {

/// Not thread-safe, as tables are not. One serves any number of messages.
class DeliveryChecks {
 public:
  /// `protocol`: "smtp_" or "lmtp_". Null: there are no tables. `log` must outlive the object. Errors: as
  /// ContentChecks::open().
  static libconf::Result<std::unique_ptr<DeliveryChecks>> open(std::string_view protocol,
                                                               const libmaps::TableContext& context,
                                                               MailLog& log, LogTag tag);

  /// What is to be done about a logical header or a line of the body: kIgnore, kPrepend, kReplace; kDunno:
  /// nothing. Logs what the action asks for. Errors: kTemporary, when a table could not tell.
  libconf::Result<CheckAction> check(CheckClass check_class, std::string_view text,
                                     std::string_view queue_id);

 private:
  DeliveryChecks(std::string_view protocol, ContentChecks tables, MailLog& log, LogTag tag)
      : protocol_(protocol), tables_(std::move(tables)), log_(log), tag_(tag) {}
  libconf::Error failure(CheckClass check_class, std::string_view queue_id) const;

  std::string protocol_;
  ContentChecks tables_;
  MailLog& log_;
  LogTag tag_;
};

}  // namespace mta
