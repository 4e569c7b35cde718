/// Address verification (verify(8), ADDRESS_VERIFICATION_README): asks delivery agents whether they could
/// deliver, and remembers what they say.
///
///     auto verifier = ProbingVerifier::create(settings, {.io = io, .log = log, ...});
///     Verification answer = co_await (*verifier)->verify("bob@example.com", 6s);
///
/// A probe is no message: the agent of the address's transport is asked at once, without a queue file, and
/// whoever waits for the answer gets it when it is there.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/host.h"
#include "libconf/settings.h"
#include "tools/mta/access/services.h"
#include "tools/mta/address/resolve.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/transport_table.h"
#include "tools/mta/delivery/verify_cache.h"
#include "tools/mta/queue/queue_id.h"
#include "tools/mta/smtp/address_services.h"

namespace mta {

/// Not thread-safe. It must live until the event loop has run to its end.
class ProbingVerifier final : public AddressVerifier {
 public:
  /// All must outlive it.
  struct Parts {
    asio::io_context& io;
    MailLog& log;
    const libconf::Host& host;
    TransportTable& transports;
  };

  /// `settings` are those of the verify service, or of main.cf; they must outlive the object. Tables are
  /// opened when they are needed first. Errors: those of the settings.
  static libconf::Result<std::unique_ptr<ProbingVerifier>> create(const libconf::Settings& settings,
                                                                  const Parts& parts);

  asio::awaitable<Verification> verify(std::string address, std::chrono::seconds patience) override;

 private:
  /// A probe that is under way.
  struct Pending {
    std::vector<asio::steady_timer*> waiters;  ///< Are cancelled when the answer is there.
  };
  struct Outcome {
    void take(const DeliveryReport& report);
    VerifyEntry entry;
    std::string recipient;  ///< What the address became.
  };

  /// What becomes of addresses.
  struct Addresses {
    std::unique_ptr<AddressServices> services;
    std::optional<RouteResolver> routes;
    std::string sender;  ///< Of probes, in internal form.
  };

  ProbingVerifier(const libconf::Settings& settings, const Parts& parts)
      : settings_(settings.of_peer("rewrite_service_name")),
        parts_(parts),
        warnings_(parts.log, {.program = "verify"}) {}
  libconf::Result<Addresses> open_addresses();
  void start_probe(const std::string& address);
  asio::awaitable<void> probe(std::string address);
  asio::awaitable<Outcome> ask(const std::string& address);
  DeliveryRequest request_for(const EnvelopeRecipient& recipient, Resolution resolution);
  void clean();

  libconf::Settings settings_;
  Parts parts_;
  LogSink warnings_;
  std::optional<VerifyCache> cache_;
  std::optional<Addresses> addresses_;
  QueueIdForm id_form_ = QueueIdForm::kShort;
  std::string sender_;  ///< address_verify_sender
  std::chrono::seconds sender_lifetime_{0};
  std::size_t pending_limit_ = 0;  ///< address_verify_pending_request_limit
  std::map<std::string, std::shared_ptr<Pending>, std::less<>> pending_;
  /// What an ID has in the place of an inode number: those of another process differ.
  ino_t next_number_ = static_cast<ino_t>(::getpid()) << 16;
};

}  // namespace mta
