/// A picture of the way that mail takes through a configuration: SVG to stand in a page.
///
///     out += flow_picture(site);
#pragma once

#include <string>

#include "tools/postlint/site_model.h"

namespace postlint {

/// Servers with their restriction lists in order, rewriting, and the transports of each class of addresses,
/// from top to bottom; as wide as a phone.
std::string flow_picture(const SiteModel& site);

}  // namespace postlint
