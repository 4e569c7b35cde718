#include "tools/smtpd/maildrop_pickup.h"

#include <asio/post.hpp>
#include <string_view>
#include <utility>

#include "tools/mta/daemon/trigger_listener.h"
#include "tools/mta/delivery/internal_mail.h"
#include "tools/mta/delivery/mail_notifier.h"
#include "tools/mta/submission/pickup.h"

namespace smtpd {
namespace {

using libconf::FileDescriptor;
using libconf::Result;

/// What senders are told by, of mail that is refused.
struct Notices {
  std::unique_ptr<mta::InternalMailService> mail;
  std::unique_ptr<mta::MailNotifier> notifier;
};

Result<Notices> open_notices(const libconf::Settings& settings, const mta::SmtpRuntime& runtime) {
  Notices notices;
  auto mail = mta::InternalMailService::create(settings, {.executor = runtime.io.get_executor(),
                                                          .log = runtime.log,
                                                          .host = runtime.host,
                                                          .queue = runtime.queue,
                                                          .committer = runtime.committer,
                                                          .trigger = runtime.trigger});
  if (!mail) return mail.error();
  notices.mail = std::move(*mail);
  auto notifier = mta::MailNotifier::create(settings, *notices.mail, runtime.queue, runtime.log);
  if (!notifier) return notifier.error();
  notices.notifier = std::move(*notifier);
  return notices;
}

class MaildropPickup final : public mta::Service {
 public:
  MaildropPickup(std::unique_ptr<mta::SmtpService> service, Notices notices, mta::PickupOptions options,
                 asio::io_context& io)
      : service_(std::move(service)),
        notices_(std::move(notices)),
        pickup_(io, std::move(options), service_->intake(), *notices_.notifier),
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
  Notices notices_;
  mta::Pickup pickup_;
  mta::TriggerListener listener_;
};

}  // namespace

Result<std::unique_ptr<mta::Service>> serve_maildrop(ServiceStart start) {
  Result<mta::PickupOptions> options = mta::PickupOptions::read(start.settings);
  if (!options) return options.error();
  Result<Notices> notices = open_notices(start.settings, start.runtime);
  if (!notices) return notices.error();
  // The way of a message into the queue is the same as from a client, with the same parameters; but nobody is
  // there who could encrypt or log in.
  for (const auto& [parameter, value] : {std::pair{"smtpd_tls_security_level", "none"},
                                         {"smtpd_tls_wrappermode", "no"},
                                         {"smtpd_sasl_auth_enable", "no"}})
    start.settings.override_value(parameter, value);
  Result<std::unique_ptr<mta::SmtpService>> service =
      mta::SmtpService::create(std::move(start.settings), start.runtime);
  if (!service) return service.error();
  return std::unique_ptr<mta::Service>(std::make_unique<MaildropPickup>(
      std::move(*service), std::move(*notices), std::move(*options), start.runtime.io));
}

}  // namespace smtpd
