#include "tools/mta/daemon/service_role.h"

#include <algorithm>
#include <array>

namespace mta {
namespace {

using enum ServiceKind;

constexpr std::array kRoles = {
    ServiceRole{"anvil", kInside},
    ServiceRole{"bounce", kInside},
    ServiceRole{"cleanup", kInside},
    ServiceRole{"discard", kDelivers},
    ServiceRole{"dnsblog", kAbsent},
    ServiceRole{"error", kDelivers},
    ServiceRole{"flush", kServer, kQueueManagerProgram},
    ServiceRole{"lmtp", kDelivers},
    ServiceRole{"local", kDelivers},
    ServiceRole{"nqmgr", kServer, kQueueManagerProgram},
    ServiceRole{"oqmgr", kServer, kQueueManagerProgram},
    ServiceRole{"pickup", kServer, kSmtpProgram},
    ServiceRole{"pipe", kDelivers},
    ServiceRole{"postlogd", kServer, kSmtpProgram},
    ServiceRole{"postscreen", kAbsent},
    ServiceRole{"proxymap", kServer, kSmtpProgram},
    ServiceRole{"qmgr", kServer, kQueueManagerProgram},
    ServiceRole{"qmqpd", kAbsent},
    ServiceRole{"scache", kInside},
    ServiceRole{"showq", kServer, kSmtpProgram},
    ServiceRole{"smtp", kDelivers},
    ServiceRole{"smtpd", kServer, kSmtpProgram},
    ServiceRole{"spawn", kAbsent},
    ServiceRole{"tlsmgr", kInside},
    ServiceRole{"tlsproxy", kAbsent},
    ServiceRole{"trivial-rewrite", kInside},
    ServiceRole{"verify", kInside},
    ServiceRole{"virtual", kDelivers},
};

constexpr bool by_command(const ServiceRole& a, const ServiceRole& b) { return a.command < b.command; }
static_assert(std::is_sorted(kRoles.begin(), kRoles.end(), by_command));

}  // namespace

std::span<const ServiceRole> service_roles() { return kRoles; }

const ServiceRole* find_service_role(std::string_view command) {
  const auto* const found =
      std::lower_bound(kRoles.begin(), kRoles.end(), ServiceRole{command, kAbsent}, by_command);
  return found != kRoles.end() && found->command == command ? found : nullptr;
}

}  // namespace mta
