/// What the commands of master.cf mean to this runtime (master(5), the stock master.cf). Postfix has a
/// program for each; here a few processes do the work of all.
///
///     const ServiceRole* role = find_service_role("trivial-rewrite");
///     role->kind == ServiceKind::kInside;
#pragma once

#include <span>
#include <string_view>

namespace mta {

enum class ServiceKind {
  kServer,    ///< Listens, and the server process answers: see tools/smtpd/served_commands.h.
  kInside,    ///< Done inside of other services; nothing is started for the entry.
  kDelivers,  ///< A delivery agent, for the queue manager.
  kAbsent,    ///< A program of Postfix that this runtime does not have.
};

struct ServiceRole {
  std::string_view command;
  ServiceKind kind;
};

/// All of them, sorted by command.
std::span<const ServiceRole> service_roles();

/// Null: there is no such command.
const ServiceRole* find_service_role(std::string_view command);

}  // namespace mta
