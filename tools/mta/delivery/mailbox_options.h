/// How mailboxes are written, as postconf(5) has it.
///
///     MailboxOptions options;
///     options.read(reader, "virtual_mailbox_lock", "virtual_mailbox_limit");
///     MailboxDelivery delivery = options.delivery(path);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/mta/daemon/settings_reader.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

struct MailboxOptions {
  LockRules locks = {};
  std::uint64_t size_limit = 0;
  bool must_be_owned = true;

  /// `lock` and `limit` are the parameters of the agent.
  void read(SettingsReader& reader, std::string_view lock, std::string_view limit);

  /// To a mailbox, without a message yet.
  MailboxDelivery delivery(std::string path) const;
};

/// What the answer to a probe says of a mailbox. Pure.
std::string probed_mailbox(std::string_view path);

}  // namespace mta
