/// Forwards by way of the mail that the system itself sends.
///
///     InternalForwarder forwarder(*internal_mail);
///     auto id = co_await forwarder.forward(request, std::move(mail), message);
#pragma once

#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/mail_forwarder.h"

namespace mta {

/// Not thread-safe; the service must outlive it.
class InternalForwarder final : public MailForwarder {
 public:
  explicit InternalForwarder(InternalMailService& mail) : mail_(mail) {}

  /// Errors: as InternalMailService::open() and copy_content(); kTemporary, when the message was not taken.
  asio::awaitable<libconf::Result<std::string>> forward(const DeliveryRequest& request, ForwardedMail mail,
                                                        int message) override;

 private:
  InternalMailService& mail_;
};

}  // namespace mta
