/// One smtpd service of master.cf: what its sessions share.
///
///     auto service = SmtpService::create(settings.for_service(entry, master_cf), runtime);
///     co_await serve_smtp_client(std::move(socket), *service);
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/host.h"
#include "libconf/settings.h"
#include "libmaps/match_list.h"
#include "tools/mta/access/engine.h"
#include "tools/mta/content/cleanup.h"
#include "tools/mta/content/content_checks.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/delivery/transcript_notifier.h"
#include "tools/mta/dns/hosts_file.h"
#include "tools/mta/dns/resolver.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/smtp/address_services.h"
#include "tools/mta/smtp/dns_reply_filter.h"
#include "tools/mta/smtp/error_limits.h"
#include "tools/mta/smtp/local_clients.h"
#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/smtp/milter_macros.h"
#include "tools/mta/smtp/proxy_filter.h"
#include "tools/mta/smtp/receive_overrides.h"
#include "tools/mta/smtp/server_auth.h"
#include "tools/mta/smtp/server_options.h"
#include "tools/mta/smtp/server_tls.h"
#include "tools/mta/smtp/session_rules.h"

namespace mta {

/// What all services of a process share. All must outlive them.
struct SmtpRuntime {
  asio::io_context& io;
  MailLog& log;
  const libconf::Host& host;
  const HostsFile& hosts;
  Resolver& resolver;
  const QueueDirectory& queue;
  GroupCommitter& committer;
  PolicyService& policy;
  AddressVerifier& verifier;
  ClientRates& rates;
  /// The path of postdrop(1), where messages are submitted (sendmail -bs); empty: they go into the queue.
  std::string postdrop = {};
  QueueTrigger* trigger = nullptr;               ///< Told of each message in the queue; null: nobody is.
  InternalMailService* internal_mail = nullptr;  ///< For transcripts; null: there are none.
};

/// Not thread-safe.
class SmtpService {
 public:
  /// Errors: those of the settings, with the parameter's name, and of tables that cannot be opened.
  static libconf::Result<std::unique_ptr<SmtpService>> create(libconf::Settings settings,
                                                              SmtpRuntime runtime);
  SmtpService(const SmtpService&) = delete;
  SmtpService& operator=(const SmtpService&) = delete;

  const ServerOptions& options() const { return options_; }
  const ErrorLimits& error_limits() const { return error_limits_; }
  std::chrono::seconds timeout() const { return timeout_; }
  const std::string& mail_name() const { return mail_name_; }
  const std::string& name() const { return name_; }  ///< In master.cf: "smtp", "192.0.2.1:25".
  bool looks_up_names() const { return looks_up_names_; }
  bool is_under_stress() const { return !stress_.empty(); }
  AccessEngine& access() { return *access_; }
  SessionRules& rules() { return *rules_; }
  AddressServices& addresses() { return *addresses_; }
  ServerTls& tls() { return *tls_; }
  ServerAuth& auth() { return *auth_; }
  SmtpRuntime& runtime() { return runtime_; }

  /// A new message of a session. Errors: as MessageIntake::open() or PostdropClient::start().
  libconf::Result<std::unique_ptr<MessageDestination>> open_message();
  /// The filters of a client (smtpd_milters, smtpd_milter_maps), with what main.cf says about all of them.
  const MilterSettings& milters() const { return milters_; }
  libconf::Result<std::vector<MilterOptions>> milters_of(const ClientState& client);

  /// The before-queue filter; its endpoint is empty when there is none.
  const ProxyOptions& proxy() const { return proxy_; }

  /// What the postmaster is told of sessions by; null: nothing.
  TranscriptNotifier* transcripts() { return transcripts_.get(); }

  /// The log, for what parts report.
  libconf::DiagnosticSink& warnings() { return *warnings_; }

  /// What a message needs on its way into the queue.
  IntakeServices intake();

  /// How much room there must be for mail (queue_minfree).
  const SpaceRule& space() const { return space_; }

  /// Whether headers of this client's mail get $myorigin (local_header_rewrite_clients).
  libconf::Result<bool> is_local_client(const SmtpdState& state) { return local_clients_->has(state); }

  /// Whether `client` is in a list such as smtpd_authorized_xclient_hosts.
  libconf::Result<bool> may_use_xclient(const ClientState& client);
  libconf::Result<bool> may_use_xforward(const ClientState& client);
  libconf::Result<bool> may_use_verp(const ClientState& client);

  /// Whether the log is to have all that is said (debug_peer_list).
  libconf::Result<bool> is_watched(const ClientState& client);

  /// smtpd_noop_commands, smtpd_forbidden_commands
  libconf::Result<bool> is_noop_command(std::string_view name) { return noop_commands_->matches(name); }
  libconf::Result<bool> is_forbidden_command(std::string_view name) {
    return forbidden_commands_->matches(name);
  }

  void log(libconf::Severity severity, std::string_view text) const;

 private:
  SmtpService(libconf::Settings settings, const SmtpRuntime& runtime)
      : settings_(std::move(settings)),
        cleanup_settings_(settings_.of_peer("cleanup_service_name")),
        runtime_(runtime) {}
  LogTag tag() const { return {.syslog_name = syslog_name_, .program = "smtpd"}; }
  libconf::Result<void> read_settings();
  libconf::Result<void> open_lists();
  libconf::Result<void> open_tls_and_auth();

  libconf::Settings settings_;
  libconf::Settings cleanup_settings_;  ///< For what is cleanup(8)'s.
  SmtpRuntime runtime_;
  std::string syslog_name_;
  std::optional<LogSink> warnings_;  ///< From read_settings() on, which knows the name in the log.
  ServerOptions options_;
  ErrorLimits error_limits_;
  std::chrono::seconds timeout_{0};
  std::string mail_name_;
  std::string name_;
  std::string stress_;
  bool looks_up_names_ = true;  ///< smtpd_peername_lookup
  std::string content_filter_;
  IntakeOptions intake_;
  ReceiveOverrides overrides_;
  ProxyOptions proxy_;
  MilterSettings milters_;                                    ///< smtpd_milters
  std::vector<std::unique_ptr<libmaps::Table>> milter_maps_;  ///< smtpd_milter_maps
  SpaceRule space_;
  ContentChecks checks_;
  std::optional<DnsReplyFilter> dns_;  ///< smtpd_dns_reply_filter; for restrictions.
  std::unique_ptr<AddressServices> addresses_;
  std::unique_ptr<AccessEngine> access_;
  std::unique_ptr<SessionRules> rules_;
  std::optional<LocalClients> local_clients_;
  std::unique_ptr<ServerTls> tls_;
  std::unique_ptr<ServerAuth> auth_;
  std::unique_ptr<TranscriptNotifier> transcripts_;
  std::optional<libmaps::MatchList> xclient_hosts_;
  std::optional<libmaps::MatchList> xforward_hosts_;
  std::optional<libmaps::MatchList> verp_clients_;
  std::optional<libmaps::MatchList> debug_peers_;
  std::optional<libmaps::MatchList> noop_commands_;
  std::optional<libmaps::MatchList> forbidden_commands_;
};

}  // namespace mta
