#include "tools/mta/delivery/delivery_status_filter.h"

#include "libconf/text.h"
#include "tools/mta/daemon/empty_result.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {

using libconf::concat;
using libconf::Result;

Result<DeliveryStatusFilter> DeliveryStatusFilter::open(std::string_view parameter,
                                                        const libmaps::TableContext& context) {
  const Result<bool> is_soft = context.settings.get_bool("soft_bounce");
  if (!is_soft) return is_soft.error();
  DeliveryStatusFilter filter;
  filter.is_soft_ = *is_soft;
  if (parameter.empty()) return filter;
  Result<TableList> tables = TableList::open(parameter, context);
  if (!tables) return tables.error();
  filter.tables_ = std::move(*tables);
  filter.parameter_ = parameter;
  filter.warnings_ = &context.warnings;
  return filter;
}

void DeliveryStatusFilter::warn(std::string text) { warnings_->warn("status-filter", std::move(text)); }

/// Empty: there is nothing to change.
std::string DeliveryStatusFilter::find(const std::string& key) {
  Result<std::optional<std::string>> value = tables_.lookup(key);
  if (!value) {
    warn(value.error().message);
    return {};
  }
  if (*value && (*value)->empty())
    for (std::string& line : empty_result_warnings(parameter_, key)) warn(std::move(line));
  return std::move(*value).value_or("");
}

void DeliveryStatusFilter::apply(DeliveryPurpose purpose, RecipientReport& report) {
  if (!tables_.is_empty()) filter(report);
  const bool is_softened = is_soft_ && purpose == DeliveryPurpose::kDeliver;
  if (!is_softened || report.outcome != DeliveryOutcome::kBounced) return;
  report.outcome = DeliveryOutcome::kDeferred;
  report.is_soft_bounce = true;
  report.status.code[0] = '4';
}

void DeliveryStatusFilter::filter(RecipientReport& report) {
  const std::string result = find(concat(report.status.code, " ", report.status.text));
  if (result.empty()) return;
  const std::size_t length = status_length(result);
  const bool is_success = length > 0 && result[0] == '2';
  if (length == 0 || is_success != (report.outcome == DeliveryOutcome::kSent)) {
    warn(concat(parameter_, ": bad status code: ", result));
    return;
  }
  report.status.code = result.substr(0, length);
  const std::string_view text = libconf::trim(std::string_view(result).substr(length));
  // Without a text the one that was there stays.
  if (!text.empty()) report.status.text = text;
  if (is_success) return;
  const bool is_temporary = report.status.code[0] == '4';
  report.outcome = is_temporary ? DeliveryOutcome::kDeferred : DeliveryOutcome::kBounced;
}

}  // namespace mta
