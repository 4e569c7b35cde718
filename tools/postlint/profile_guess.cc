#include "tools/postlint/profile_guess.h"

#include <algorithm>

#include "tools/postlint/site_model.h"

namespace postlint {
namespace {

bool is_for_users(const SmtpServer& server) {
  return server.role == SmtpRole::kSubmission || server.role == SmtpRole::kSubmissions;
}

bool has_any(const SiteModel& site, bool (*test)(const SmtpServer& server)) {
  const auto servers = site.smtp_servers();
  return std::any_of(servers.begin(), servers.end(), test);
}

}  // namespace

Profile guess_profile(const SiteModel& site) {
  const auto is_empty = [&](std::string_view name) { return value_of(site.settings(), name).empty(); };
  const bool serves_others = has_any(site, [](const SmtpServer& server) { return !server.is_local_only; });
  const bool has_mailboxes = !is_empty("mydestination") || !is_empty("virtual_mailbox_domains") ||
                             !is_empty("virtual_alias_domains");
  if (!serves_others ||
      (site.master_cf() == nullptr && value_of(site.settings(), "inet_interfaces") == "loopback-only"))
    return Profile::kNullClient;
  const bool is_public_mx = has_any(
      site, [](const SmtpServer& server) { return server.role == SmtpRole::kMx && !server.is_local_only; });
  if (has_any(site, is_for_users) && !is_public_mx) return Profile::kSubmission;
  if (!has_mailboxes && (!is_empty("relay_domains") || !is_empty("relayhost"))) return Profile::kRelay;
  return Profile::kMx;
}

}  // namespace postlint
