/// What one service of a mail system is made of, as smtpd(8), cleanup(8) and qmgr(8) have it.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "libconf/host.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "tools/mta/access/engine.h"
#include "tools/mta/content/content_checks.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/site.h"
#include "tools/mta/delivery/mail_router.h"
#include "tools/mta/smtp/address_services.h"
#include "tools/mta/smtp/dns_reply_filter.h"
#include "tools/mta/smtp/intake_options.h"
#include "tools/mta/smtp/local_clients.h"
#include "tools/mta/smtp/milter_macros.h"
#include "tools/mta/smtp/receive_overrides.h"
#include "tools/mta/smtp/reject_replies.h"
#include "tools/postexplain/dry_run.h"
#include "tools/postexplain/recorder.h"

namespace postexplain {

/// Gives what parts log to the recorder.
class RecordedLog final : public mta::MailLog {
 public:
  explicit RecordedLog(Recorder& recorder) : MailLog("postfix"), recorder_(recorder) {}

 private:
  void put(libconf::Severity, std::string_view, std::string_view text) override;
  Recorder& recorder_;
};

/// Members are in the order in which they are made. Not movable; not thread-safe.
class Services {
 public:
  /// Opens all parts. Their lookups go to the recorder. Errors: see DryRun::create().
  static libconf::Result<std::unique_ptr<Services>> open(Setup setup);

  /// The settings of the service, with the options of its entry.
  const libconf::Settings& settings() const { return *settings_; }
  const mta::Site& site() const { return *site_; }
  const libconf::PlacedService& entry() const { return *entry_; }
  const libconf::Host& host() const { return host_; }
  const Answers& answers() const { return setup_.answers; }
  Recorder& recorder() { return *recorder_; }
  DryServices& outside() { return *outside_; }
  asio::io_context& io() { return io_; }
  /// Whether the outside world is asked.
  bool is_live() const { return setup_.dns == DnsMode::kLive; }

  /// Runs something to its end. Errors: kTemporary, for what never ends.
  libconf::Result<void> finish(asio::awaitable<void> task);

  std::unique_ptr<mta::AddressServices> addresses;
  std::unique_ptr<mta::AccessEngine> access;
  std::optional<mta::LocalClients> local_clients;
  mta::RejectReplies replies;
  mta::ContentChecks checks;
  mta::IntakeOptions intake;
  mta::ReceiveOverrides overrides;
  mta::MilterSettings milters;
  std::unique_ptr<mta::MailRouter> router;
  std::string content_filter;
  std::string proxy_filter;  ///< smtpd_proxy_filter
  std::string myhostname;
  bool has_auth = false;       ///< smtpd_sasl_auth_enable
  bool looks_up_names = true;  ///< smtpd_peername_lookup
  bool is_strict = false;      ///< strict_rfc821_envelopes

 private:
  explicit Services(Setup setup) : setup_(std::move(setup)) {}
  libconf::Result<void> find_entry();
  libconf::Result<void> read_settings();
  libconf::Result<void> open_intake();
  libconf::Result<void> open_access();
  libconf::Result<void> open_router();

  Setup setup_;
  asio::io_context io_;
  libconf::DiagnosticList oddities_;
  std::unique_ptr<mta::Site> site_;
  const libconf::PlacedService* entry_ = nullptr;
  std::optional<libconf::Settings> settings_;
  std::optional<libconf::Settings> cleanup_settings_;
  std::optional<libconf::Settings> queue_settings_;
  libconf::Host host_ = libconf::system_host();
  std::optional<Recorder> recorder_;
  std::optional<RecordedLog> log_;
  std::optional<mta::DnsReplyFilter> dns_;
  std::unique_ptr<DryServices> outside_;
};

}  // namespace postexplain
