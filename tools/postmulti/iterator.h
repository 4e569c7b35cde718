/// What postmulti(1) does for several instances in turn: -l, -p and -x.
///
///     list(instances.select(selection), out);
///     return run_in_each(instances.primary(), selected, {"postfix", "status"}) ? 0 : 1;
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tools/cli/console.h"
#include "tools/postmulti/instances.h"

namespace postmulti {

/// A line for each: name, group, whether it is enabled, directory.
void list(const std::vector<const Instance*>& instances, std::ostream& out);

struct Iteration {
  const Instance& primary;
  std::vector<const Instance*> instances;
  bool is_verbose = false;
  cli::MessagePrinter& messages;
};

/// Runs a command in the environment of each instance (postmulti(1), "Command mode"), which its exported
/// names tell it. False: one of them failed.
bool run_in_each(const Iteration& iteration, const std::vector<std::string>& command);

/// The same for commands of postfix(1), of which some are nothing for instances that are not enabled. Errors:
/// kConfiguration, none is left; those of settings.
libconf::Result<bool> run_postfix_in_each(Iteration iteration, const std::string& postfix_program,
                                          const std::vector<std::string>& arguments);

}  // namespace postmulti
