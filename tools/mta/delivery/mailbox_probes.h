/// Whether local(8) could deliver to an address: what it answers to a probe
/// (ADDRESS_VERIFICATION_README), without delivering anything.
///
///     auto probe = LocalProbe::open({.settings = settings, .warnings = sink}, transports, log, "local");
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmaps/address_lookup.h"
#include "libmaps/table_context.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/delivery_agent.h"
#include "tools/mta/delivery/recipient_reporter.h"
#include "tools/mta/delivery/transport_table.h"

namespace mta {

/// Answers for each recipient, and logs it. REQUIRES of deliver(): the purpose is kProbe.
class MailboxProbe : public DeliveryAgent {
 public:
  asio::awaitable<DeliveryReport> deliver(const DeliveryRequest& request, int message) final;

 protected:
  /// `program` is that in the log, `relay` the name of the service.
  MailboxProbe(MailLog& log, std::string_view program, std::string relay)
      : log_(log), program_(program), relay_(std::move(relay)) {}

 private:
  /// What is known of a recipient; or nothing, when `request` was passed on, and `passed` is the report.
  virtual asio::awaitable<std::optional<RecipientAnswer>> probe(const DeliveryRequest& request,
                                                                DeliveryReport& passed) = 0;

  MailLog& log_;
  std::string_view program_;
  std::string relay_;
};

/// local(8): aliases, mailbox_transport and its maps, UNIX accounts (but not their .forward files),
/// mailboxes, fallback_transport and its maps, luser_relay.
class LocalProbe final : public MailboxProbe {
 public:
  /// Errors: those of the settings. The context's settings and sink, `transports` and `log` must outlive the
  /// object.
  static libconf::Result<std::unique_ptr<LocalProbe>> open(const libmaps::TableContext& context,
                                                           TransportTable& transports, MailLog& log,
                                                           std::string relay);

 private:
  LocalProbe(const libconf::Settings& settings, TransportTable& transports, MailLog& log, std::string relay)
      : MailboxProbe(log, "local", std::move(relay)), settings_(settings), transports_(transports) {}
  asio::awaitable<std::optional<RecipientAnswer>> probe(const DeliveryRequest& request,
                                                        DeliveryReport& passed) override;

  const libconf::Settings& settings_;
  TransportTable& transports_;
  std::unique_ptr<libmaps::Table> accounts_;
  std::optional<libmaps::AddressLookup> aliases_;
  libmaps::AddressRules rules_;
  /// `maps` by the name of the recipient, else `otherwise`.
  struct Choice {
    std::vector<std::unique_ptr<libmaps::Table>> maps;
    std::string otherwise;
    libconf::Result<std::string> for_user(const std::string& user);
  };
  static libconf::Result<Choice> read_choice(std::string_view maps, std::string_view otherwise,
                                             const libmaps::TableContext& context);
  Choice mailbox_transport_;
  Choice fallback_transport_;
  Choice mailbox_command_;
  std::string home_mailbox_;
  std::string spool_directory_;
  std::string luser_relay_;
};

}  // namespace mta
