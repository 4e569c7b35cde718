/// What the commands of master.cf mean to this runtime (master(5), the stock master.cf). Postfix has a
/// program for each; here two programs do the work of all.
///
///     const ServiceRole* role = find_service_role("trivial-rewrite");
///     role->kind == ServiceKind::kInside;
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace mta {

enum class ServiceKind {
  kServer,    ///< Listens, and a server program answers: see ServiceRole::program.
  kInside,    ///< Done inside of other services; nothing is started for the entry.
  kDelivers,  ///< A delivery agent, for the queue manager.
  kAbsent,    ///< A program of Postfix that this runtime does not have.
};

struct ServiceRole {
  std::string_view command;
  ServiceKind kind;
  std::string_view program = {};  ///< Of kServer: one of kServerPrograms.
};

/// Programs that the master runs, each as one process: with clients, and with the deliveries.
inline constexpr std::string_view kSmtpProgram = "smtpd";         ///< tools/smtpd/served_commands.h
inline constexpr std::string_view kQueueManagerProgram = "qmgr";  ///< tools/qmgr
inline constexpr std::array kServerPrograms = {kSmtpProgram, kQueueManagerProgram};

/// All of them, sorted by command.
std::span<const ServiceRole> service_roles();

/// Null: there is no such command.
const ServiceRole* find_service_role(std::string_view command);

}  // namespace mta
