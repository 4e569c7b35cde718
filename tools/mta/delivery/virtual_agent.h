/// virtual(8): mailboxes of users that this host need not know.
///
///     auto agent = VirtualAgent::open({.settings = settings, .warnings = sink}, actions, log, "virtual");
///     DeliveryReport report = co_await (*agent)->deliver(request, message);
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/address_lookup.h"
#include "libmaps/table_context.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/mailbox_options.h"
#include "tools/mta/delivery/message_head.h"
#include "tools/mta/delivery/recipient_reporter.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

/// A table such as virtual_mailbox_maps (virtual(8), TABLE SEARCH ORDER).
class MailboxMaps {
 public:
  /// Errors: those of the settings.
  static libconf::Result<MailboxMaps> open(std::string_view parameter, const libmaps::TableContext& context);

  /// `address` is in internal form. Extensions are found even where the address needs quotes.
  libconf::Result<std::optional<std::string>> find(std::string_view address);

 private:
  std::vector<std::unique_ptr<libmaps::Table>> tables_;
  libmaps::AddressRules rules_;
};

class VirtualAgent final : public DeliveryAgent {
 public:
  /// `relay` is the name of the service. `actions` may be null where nothing but probes is asked for. The
  /// context's settings and sink, `actions` and `log` must outlive the object. Errors: those of the settings.
  static libconf::Result<std::unique_ptr<VirtualAgent>> open(const libmaps::TableContext& context,
                                                             UserActions* actions, MailLog& log,
                                                             std::string relay);

  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) override;

 private:
  /// Where the mail of a recipient goes, and who writes there.
  struct Mailbox {
    std::string path;
    Identity owner = {};
  };

  VirtualAgent(MailboxMaps mailboxes, MailboxMaps users, MailboxMaps groups, UserActions* actions,
               MailLog& log, std::string relay)
      : mailboxes_(std::move(mailboxes)),
        users_(std::move(users)),
        groups_(std::move(groups)),
        actions_(actions),
        log_(log),
        relay_(std::move(relay)) {}

  /// Nothing: there is none, and `answer` says why.
  std::optional<Mailbox> find(const std::string& address, bool needs_owner, RecipientAnswer& answer);
  std::optional<std::uint32_t> find_id(const std::string& address, MailboxMaps& table,
                                       std::string_view parameter, std::string_view what,
                                       std::uint32_t minimum);
  asio::awaitable<RecipientAnswer> deliver_one(const DeliveryRequest& request, std::size_t index,
                                               const MessageStart& start, int message);
  void warn(std::string_view text);

  MailboxMaps mailboxes_;
  MailboxMaps users_;
  MailboxMaps groups_;
  UserActions* actions_;
  MailLog& log_;
  std::string relay_;
  MailboxOptions options_;
  DeliveryStatusFilter filter_;
  std::string base_;
  std::uint32_t minimum_user_ = 1;
  bool has_original_ = true;  ///< enable_original_recipient
};

}  // namespace mta
