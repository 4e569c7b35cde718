#include "tools/smtpd/served_commands.h"

#include <algorithm>
#include <array>

#include "tools/smtpd/log_clients.h"
#include "tools/smtpd/maildrop_pickup.h"
#include "tools/smtpd/proxy_clients.h"
#include "tools/smtpd/queue_reports.h"
#include "tools/smtpd/smtp_clients.h"

namespace smtpd {
namespace {

constexpr std::array kCommands = {
    ServedCommand{"pickup", serve_maildrop},
    ServedCommand{"postlogd", serve_log_clients},
    ServedCommand{"proxymap", serve_proxy_clients},
    ServedCommand{"showq", serve_queue_reports},
    ServedCommand{"smtpd", serve_smtp_clients},
};

constexpr bool by_command(const ServedCommand& a, const ServedCommand& b) { return a.command < b.command; }
static_assert(std::is_sorted(kCommands.begin(), kCommands.end(), by_command));

}  // namespace

std::span<const ServedCommand> served_commands() { return kCommands; }

const ServedCommand* find_served_command(std::string_view command) {
  const auto* const found =
      std::lower_bound(kCommands.begin(), kCommands.end(), ServedCommand{command, nullptr}, by_command);
  return found != kCommands.end() && found->command == command ? found : nullptr;
}

}  // namespace smtpd
