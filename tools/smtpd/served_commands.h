/// The commands of master.cf that the server process serves: ServiceKind::kServer of
/// tools/mta/daemon/service_role.h, each with the code that does it. A new one is a line in both tables.
///
///     const ServedCommand* command = find_served_command("smtpd");
///     Result<std::unique_ptr<mta::Service>> service = command->create(start);
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "libconf/settings.h"
#include "tools/mta/daemon/service.h"
#include "tools/mta/smtp/smtp_service.h"

namespace smtpd {

/// What a service is made of.
struct ServiceStart {
  std::string name;            ///< The first field of its entry.
  libconf::Settings settings;  ///< With the options of its entry.
  std::size_t process_limit;   ///< How many clients, or requests, at a time; 0: any number.
  mta::SmtpRuntime runtime;    ///< What all services of the process share; outlives the service.
};

struct ServedCommand {
  std::string_view command;
  /// Errors: those of the settings, and of tables that cannot be opened.
  libconf::Result<std::unique_ptr<mta::Service>> (*create)(ServiceStart start);
};

/// All of them, sorted by command.
std::span<const ServedCommand> served_commands();

/// Null: this process does not serve it.
const ServedCommand* find_served_command(std::string_view command);

}  // namespace smtpd
