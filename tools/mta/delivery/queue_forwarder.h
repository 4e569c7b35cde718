/// Mail that local(8) forwards goes into the queue as the mail of the system itself does.
///
///     QueueForwarder forwarder(internal_mail);
///     Transports transports(site, client, actions, &forwarder);
#pragma once

#include <string>

#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/mail_forwarder.h"

namespace mta {

class QueueForwarder final : public MailForwarder {
 public:
  /// The service must outlive the object.
  explicit QueueForwarder(InternalMailService& service) : service_(service) {}

  asio::awaitable<libconf::Result<std::string>> forward(const DeliveryRequest& request, ForwardedMail mail,
                                                        int message) override;

 private:
  InternalMailService& service_;
};

}  // namespace mta
