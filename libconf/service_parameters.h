/// Parameters whose names begin with the name of a master.cf service: relay_destination_rate_delay and the
/// like.
///
/// Pure functions; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libconf/master_service.h"

namespace libconf {

/// Calls `visit` with the name and the default (such as "$default_destination_rate_delay") of each parameter
/// that `service` brings with it: delivery agents bring 16, pipe one more, spawn just the time limit, others
/// none. Some may have the name of a built-in parameter, which keeps its own default.
void for_each_service_parameter(
    const MasterService& service,
    const std::function<void(const std::string& name, const std::string& default_value)>& visit);

}  // namespace libconf
