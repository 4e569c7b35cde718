/// Where mail of a user of this host ends: mailboxes, files, commands (local(8)).
///
///     LocalDestinations destinations(options, actions, request, start, message, reporter);
///     RecipientAnswer answer = co_await destinations.run_command(target, "/usr/bin/procmail");
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/local_options.h"
#include "tools/mta/delivery/local_target.h"
#include "tools/mta/delivery/message_head.h"
#include "tools/mta/delivery/recipient_reporter.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// For one recipient of a request. All that it is made of must outlive it.
class LocalDestinations {
 public:
  LocalDestinations(const LocalOptions& options, UserActions& actions, const DeliveryRequest& request,
                    const QueueRecipient& recipient, const MessageStart& start, int message,
                    RecipientReporter& reporter)
      : options_(options),
        actions_(actions),
        request_(request),
        recipient_(recipient),
        start_(start),
        message_(message),
        reporter_(reporter) {}

  /// A mailbox of the target's account: home_mailbox, or in mail_spool_directory.
  asio::awaitable<RecipientAnswer> to_mailbox(const LocalTarget& target);
  /// A file that an alias or a .forward file names; a maildir, when it ends in a slash.
  asio::awaitable<RecipientAnswer> to_file(const LocalTarget& target, std::string path);
  asio::awaitable<RecipientAnswer> run_command(const LocalTarget& target, std::string command);

 private:
  asio::awaitable<RecipientAnswer> write(const LocalTarget& target, Identity who, MailboxDelivery delivery,
                                         std::string done, std::string failure,
                                         std::uint64_t* offset = nullptr);
  std::string head(const LocalTarget& target, DeliveredHeader where) const;
  std::string separator(const LocalTarget& target) const;
  std::vector<std::string> environment(const LocalTarget& target) const;

  const LocalOptions& options_;
  UserActions& actions_;
  const DeliveryRequest& request_;
  const QueueRecipient& recipient_;
  const MessageStart& start_;
  int message_;
  RecipientReporter& reporter_;
};

/// The words that a command is run with: its own, when it needs no shell; else a shell's. `shell`:
/// local_command_shell. Pure.
std::vector<std::string> command_words(std::string_view command, std::string_view shell);

}  // namespace mta
