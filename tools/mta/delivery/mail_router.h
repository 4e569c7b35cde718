/// Where a recipient's mail goes, all that is said of the message considered: content filters, redirection,
/// resolving (trivial-rewrite(8)), defer_transports (qmgr(8)).
///
///     auto router = MailRouter::create(settings, host, log);
///     MailRoute route = (*router)->route(message, recipient);
///     // route.transport "smtp", route.nexthop "example.com", recipient.address as it is to be delivered to
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "libconf/host.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/address/resolve.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/queue/queue_message.h"

namespace mta {

struct MailRoute {
  std::string transport;      ///< Of master.cf; `error` and `retry` for what cannot be delivered.
  std::string nexthop;        ///< For these the text of the reply, with its code.
  bool is_discarded = false;  ///< A notification of a notification: there is nothing to deliver to.
};

/// What of a message bears on the routes of its recipients.
struct RoutedMail {
  std::string_view sender;    ///< In internal form; empty: the null sender.
  std::string_view filter;    ///< "TRANSPORT:NEXTHOP", or empty.
  std::string_view redirect;  ///< An address, or empty.
  bool is_urgent = false;     ///< defer_transports does not count: somebody wants the queue to be flushed.
};

/// Not thread-safe.
class MailRouter {
 public:
  MailRouter() = default;
  MailRouter(const MailRouter&) = delete;
  MailRouter& operator=(const MailRouter&) = delete;
  virtual ~MailRouter() = default;

  /// The recipient's address, in internal form, becomes the one to deliver to. What goes wrong is logged, and
  /// the route of something to be tried again.
  virtual MailRoute route(const RoutedMail& mail, QueueRecipient& recipient) = 0;

  /// As main.cf says. Settings, host and log must outlive it. Errors: those of the settings, and of tables
  /// that cannot be opened.
  static libconf::Result<std::unique_ptr<MailRouter>> create(const libconf::Settings& settings,
                                                             const libconf::Host& host, MailLog& log);
};

}  // namespace mta
