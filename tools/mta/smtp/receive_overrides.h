/// receive_override_options: what a service leaves to another one, mostly because an after-queue content
/// filter stands between the two (FILTER_README).
#pragma once

#include "libconf/settings.h"

namespace mta {

struct ReceiveOverrides {
  bool no_unknown_recipient_checks = false;
  bool no_address_mappings = false;  ///< No canonical, alias and BCC maps, no masquerading.
  bool no_header_body_checks = false;
  bool no_milters = false;

  /// As `settings` have them. Errors: kConfiguration, for a word that is none of these.
  static libconf::Result<ReceiveOverrides> read(const libconf::Settings& settings);

  /// Makes `settings` say what these change of other parameters.
  void apply_to(libconf::Settings& settings) const;
};

}  // namespace mta
