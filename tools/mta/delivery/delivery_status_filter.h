/// Changes what became of recipients before anybody gets to know: default_delivery_status_filter and those of
/// the delivery agents, and then soft_bounce (postconf(5)).
///
///     auto filter = DeliveryStatusFilter::open("smtp_delivery_status_filter", context);
///     filter->apply(request.purpose, report);   // "4.7.4 TLS is required, ..." may have become "5.7.4 TLS
///     is required, ..."
#pragma once

#include <string>
#include <string_view>

#include "libmaps/table_context.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/smtp/table_list.h"

namespace mta {

/// Not thread-safe, as tables are not. Movable.
class DeliveryStatusFilter {
 public:
  /// Changes nothing.
  DeliveryStatusFilter() = default;

  /// An empty `parameter`: soft_bounce alone. The sink gets what is wrong with a result, and must outlive the
  /// object. Errors: as open_table(), and those of the settings.
  static libconf::Result<DeliveryStatusFilter> open(std::string_view parameter,
                                                    const libmaps::TableContext& context);

  /// Asks the tables about "code text". A result that is none, of another kind than what it stands for, or
  /// that no table could tell changes nothing, but for a warning. What a probe found out soft_bounce does not
  /// change.
  void apply(DeliveryPurpose purpose, RecipientReport& report);

  /// soft_bounce: nothing is returned.
  bool is_soft() const { return is_soft_; }

 private:
  void filter(RecipientReport& report);
  std::string find(const std::string& key);
  void warn(std::string text);

  std::string parameter_;
  TableList tables_;
  libconf::DiagnosticSink* warnings_ = nullptr;  ///< Null: there are no tables.
  bool is_soft_ = false;
};

}  // namespace mta
