/// The delivery agents of the transports of master.cf.
///
///     DeliveryAgent* agent = transports.find("smtp");
///     if (agent == nullptr) ...   // "mail transport unavailable"
#pragma once

#include <string_view>

#include "tools/mta/delivery/delivery_agent.h"

namespace mta {

class TransportTable {
 public:
  virtual ~TransportTable() = default;

  /// The agent of a service of master.cf, which lives as long as the table. Null: there is no such service,
  /// or it cannot deliver; the log has the reason.
  virtual DeliveryAgent* find(std::string_view transport) = 0;
};

}  // namespace mta
