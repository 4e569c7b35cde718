/// One recipient of local(8): aliases, .forward files and :include: files are followed, and mail goes to all
/// that they name.
///
///     LocalDelivery delivery(parts, request, index, start, message, reporter);
///     co_await delivery.run();
#pragma once

#include <asio/awaitable.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/address/address_rewriting.h"
#include "tools/mta/address/resolve.h"
#include "tools/mta/delivery/alias_items.h"
#include "tools/mta/delivery/local_destinations.h"
#include "tools/mta/delivery/mail_forwarder.h"
#include "tools/mta/delivery/transport_table.h"

namespace mta {

/// What all recipients of a service have in common.
struct LocalParts {
  LocalOptions& options;
  AddressRewriting& rewriting;
  RouteResolver& routes;
  TransportTable& transports;
  UserActions& actions;
  MailForwarder& forwarder;
};

/// All that it is made of must outlive it.
class LocalDelivery {
 public:
  LocalDelivery(const LocalParts& parts, const DeliveryRequest& request, std::size_t index,
                const MessageStart& start, int message, RecipientReporter& reporter);

  /// Reports on each address, command and file that mail went to, or did not. What fails for a time is tried
  /// again together with what was delivered: there is one record for the recipient (local(8), BUGS).
  asio::awaitable<void> run();

 private:
  asio::awaitable<void> deliver(LocalTarget target);
  /// True: there is an alias, and mail went where it says.
  asio::awaitable<bool> follow_alias(LocalTarget& target, const RecipientNames& names);
  /// The same for .forward files.
  asio::awaitable<bool> follow_forward(const LocalTarget& target, const RecipientNames& names);
  asio::awaitable<void> deliver_to_user(LocalTarget target, const RecipientNames& names);
  asio::awaitable<void> pass_on(const LocalTarget& target, std::string destination);
  /// All that an alias or a file names; `extension` is added to addresses.
  asio::awaitable<void> deliver_items(LocalTarget target, std::vector<AliasItem> items,
                                      std::string extension);
  asio::awaitable<void> deliver_item(const LocalTarget& target, const AliasItem& item,
                                     const std::string& extension);
  asio::awaitable<void> deliver_include(LocalTarget target, std::string path, std::string extension);
  asio::awaitable<void> deliver_address(LocalTarget target, std::string address, std::string extension);
  asio::awaitable<void> deliver_to_account(const LocalTarget& target);
  asio::awaitable<void> send_forwards();

  /// The sender that an owner alias makes; leaves the target as it is when there is none.
  bool apply_owner(LocalTarget& target, const std::string& alias);
  void settle(const LocalTarget& target, RecipientAnswer answer);
  void warn(std::string_view text) { reporter_.log(libconf::Severity::kWarning, text); }
  /// False: that has been delivered to before.
  bool is_new(std::string_view kind, std::string_view text);
  void forward_to(const LocalTarget& target, std::string address);
  /// The sender is told of success that there is an alias, and no more.
  void note_expansion(bool has_owner);

  /// One for each sender and Delivered-To: header.
  struct Forward {
    std::string delivered_to;
    ForwardedMail mail;
  };

  LocalParts parts_;
  const DeliveryRequest& request_;
  std::size_t index_;
  const QueueRecipient& recipient_;
  const MessageStart& start_;
  int message_;
  RecipientReporter& reporter_;
  LocalDestinations destinations_;
  std::set<std::string, std::less<>> seen_;  ///< Kind and text of all destinations (duplicate_filter_limit).
  std::vector<Forward> forwards_;
  bool is_expanded_ = false;
};

}  // namespace mta
