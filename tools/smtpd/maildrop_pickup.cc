#include "tools/smtpd/maildrop_pickup.h"

#include <asio/post.hpp>
#include <string_view>
#include <utility>

#include "tools/mta/daemon/trigger_listener.h"
#include "tools/mta/submission/pickup.h"

namespace smtpd {
namespace {

using libconf::FileDescriptor;
using libconf::Result;

class MaildropPickup final : public mta::Service {
 public:
  MaildropPickup(std::unique_ptr<mta::SmtpService> service, mta::PickupOptions options, asio::io_context& io)
      : service_(std::move(service)),
        pickup_(io, std::move(options), service_->intake()),
        // What is said is of no interest, only that something is.
        listener_(io, [this](std::string_view) { pickup_.scan(); }) {
    // What came while the mail system was down; not before the process runs as mail_owner.
    asio::post(io, [this] { pickup_.scan(); });
  }

  Result<void> listen(mta::Transport transport, FileDescriptor socket) override {
    return listener_.listen(transport, std::move(socket));
  }
  void wake_up() override { pickup_.scan(); }
  bool was_used() const override { return listener_.was_used(); }
  void stop() override {
    pickup_.stop();
    listener_.stop();
  }

 private:
  std::unique_ptr<mta::SmtpService> service_;
  mta::Pickup pickup_;
  mta::TriggerListener listener_;
};

}  // namespace

Result<std::unique_ptr<mta::Service>> serve_maildrop(ServiceStart start) {
  Result<mta::PickupOptions> options = mta::PickupOptions::read(start.settings);
  if (!options) return options.error();
  // The way of a message into the queue is the same as from a client, with the same parameters; but nobody is
  // there who could encrypt or log in.
  for (const auto& [parameter, value] : {std::pair{"smtpd_tls_security_level", "none"},
                                         {"smtpd_tls_wrappermode", "no"},
                                         {"smtpd_sasl_auth_enable", "no"}})
    start.settings.override_value(parameter, value);
  Result<std::unique_ptr<mta::SmtpService>> service =
      mta::SmtpService::create(std::move(start.settings), start.runtime);
  if (!service) return service.error();
  return std::unique_ptr<mta::Service>(
      std::make_unique<MaildropPickup>(std::move(*service), std::move(*options), start.runtime.io));
}

}  // namespace smtpd
