/// pipe(8): delivery by a command that master.cf names.
///
///     PipeAgent agent(std::move(*options), &actions, log, "maildrop");
///     DeliveryReport report = co_await agent.deliver(request, message);
#pragma once

#include <string>

#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/message_head.h"
#include "tools/mta/delivery/pipe_options.h"
#include "tools/mta/delivery/recipient_reporter.h"
#include "tools/mta/delivery/user_actions.h"

namespace mta {

class PipeAgent final : public DeliveryAgent {
 public:
  /// `service` is the name of the entry. `actions` may be null where nothing but probes is asked for.
  /// `actions` and `log` must outlive the object.
  PipeAgent(PipeOptions options, DeliveryStatusFilter filter, UserActions* actions, MailLog& log,
            std::string service)
      : options_(std::move(options)),
        filter_(std::move(filter)),
        actions_(actions),
        log_(log),
        service_(std::move(service)) {}

  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) override;

 private:
  asio::awaitable<RecipientAnswer> run(const DeliveryRequest& request, int message,
                                       RecipientReporter& reporter);
  /// What is wrong with the request before a command runs; kSent: nothing.
  RecipientAnswer check(const DeliveryRequest& request, const MessageStart& start,
                        RecipientReporter& reporter) const;
  MessageCopy copy(const DeliveryRequest& request, const MessageStart& start) const;

  PipeOptions options_;
  DeliveryStatusFilter filter_;
  UserActions* actions_;
  MailLog& log_;
  std::string service_;
};

}  // namespace mta
