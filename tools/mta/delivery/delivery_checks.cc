#include "tools/mta/delivery/delivery_checks.h"

#include "libconf/text.h"
#include "tools/mta/content/content_log.h"
#include "tools/mta/daemon/empty_result.h"

namespace mta {

using libconf::concat;

Result<std::unique_ptr<DeliveryChecks>> DeliveryChecks::open(std::string_view protocol,
                                                             const libmaps::TableContext& context,
                                                             MailLog& log, LogTag tag) {
  Result<ContentChecks> tables = ContentChecks::open(context.settings, context, protocol);
  if (!tables) return tables.error();
  const bool is_empty = !tables->has(CheckClass::kHeader) && !tables->has(CheckClass::kMime) &&
                        !tables->has(CheckClass::kNested) && !tables->has(CheckClass::kBody);
  if (is_empty) return std::unique_ptr<DeliveryChecks>();
  return std::unique_ptr<DeliveryChecks>(new DeliveryChecks(protocol, std::move(*tables), log, tag));
}

/// The words are the same for LMTP.
Error DeliveryChecks::failure(CheckClass check_class, std::string_view queue_id) const {
  return {.kind = ErrorKind::kTemporary,
          .message = concat(queue_id, ": smtp ", subject_of(check_class), " checks lookup error")};
}

Result<CheckAction> DeliveryChecks::check(CheckClass check_class, std::string_view text,
                                          std::string_view queue_id) {
  const auto value = tables_.lookup(check_class, text);
  if (!value) {
    log_.write(tag_, Severity::kWarning, value.error().message);
    return failure(check_class, queue_id);
  }
  if (!value->has_value()) return CheckAction{};
  const std::string parameter = concat(protocol_, parameter_of(check_class));
  if ((*value)->empty()) {
    for (const std::string& line : empty_result_warnings(parameter, text))
      log_.write(tag_, Severity::kWarning, line);
    return failure(check_class, queue_id);
  }
  CheckAction action = parse_check_action(**value, target_of(check_class), parameter, CheckScope::kDelivery);
  if (!action.warning.empty()) log_.write(tag_, Severity::kWarning, action.warning);
  const std::string_view verdict = verdict_of(action.kind);
  if (!verdict.empty())
    log_.write(
        tag_, Severity::kInfo,
        delivery_check_log_line(
            queue_id,
            {.verdict = verdict, .subject = subject_of(check_class), .text = text, .reason = action.text}));
  if (action.kind == CheckActionKind::kStrip) action.kind = CheckActionKind::kIgnore;
  return action;
}

}  // namespace mta
