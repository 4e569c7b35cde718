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
#include "tools/mta/dns/hosts_file.h"
#include "tools/mta/dns/resolver.h"
#include "tools/mta/queue/group_commit.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/smtp/address_services.h"
#include "tools/mta/smtp/error_limits.h"
#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/smtp/server_auth.h"
#include "tools/mta/smtp/server_options.h"
#include "tools/mta/smtp/server_tls.h"

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
  /// The path of postdrop(1), where messages are submitted (sendmail -bs); empty: they go into the queue.
  std::string postdrop = {};
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
  bool looks_up_names() const { return looks_up_names_; }
  AccessEngine& access() { return *access_; }
  AddressServices& addresses() { return *addresses_; }
  ServerTls& tls() { return *tls_; }
  ServerAuth& auth() { return *auth_; }
  SmtpRuntime& runtime() { return runtime_; }

  /// A new message of a session. Errors: as MessageIntake::open() or PostdropClient::start().
  libconf::Result<std::unique_ptr<MessageDestination>> open_message();

  /// The log, for what parts report.
  libconf::DiagnosticSink& warnings() { return *warnings_; }

  /// What a message needs on its way into the queue.
  IntakeServices intake();

  /// Whether there is room for mail (queue_minfree). Errors: as queue_error().
  libconf::Result<bool> has_room() const;

  /// Whether headers of this client's mail get $myorigin (local_header_rewrite_clients).
  libconf::Result<bool> is_local_client(const ClientState& client, const SaslState& sasl);

  /// Whether `client` is in a list such as smtpd_authorized_xclient_hosts.
  libconf::Result<bool> may_use_xclient(const ClientState& client);
  libconf::Result<bool> may_use_xforward(const ClientState& client);

  /// smtpd_noop_commands, smtpd_forbidden_commands
  libconf::Result<bool> is_noop_command(std::string_view name) { return noop_commands_->matches(name); }
  libconf::Result<bool> is_forbidden_command(std::string_view name) {
    return forbidden_commands_->matches(name);
  }

  void log(libconf::Severity severity, std::string_view text) const;

 private:
  SmtpService(libconf::Settings settings, SmtpRuntime runtime)
      : settings_(std::move(settings)), runtime_(runtime) {}
  LogTag tag() const { return {.syslog_name = syslog_name_, .program = "smtpd"}; }
  libconf::Result<void> read_settings();
  libconf::Result<void> open_lists();
  libconf::Result<void> open_tls_and_auth();

  libconf::Settings settings_;
  SmtpRuntime runtime_;
  std::string syslog_name_;
  std::optional<LogSink> warnings_;  ///< From read_settings() on, which knows the name in the log.
  ServerOptions options_;
  ErrorLimits error_limits_;
  std::chrono::seconds timeout_{0};
  std::string mail_name_;
  bool looks_up_names_ = true;  ///< smtpd_peername_lookup
  std::string content_filter_;
  std::vector<std::string> always_bcc_;
  std::vector<std::string> local_client_rules_;  ///< local_header_rewrite_clients
  SpaceRule space_;
  CleanupOptions cleanup_;
  ContentChecks checks_;
  std::unique_ptr<AddressServices> addresses_;
  std::unique_ptr<AccessEngine> access_;
  std::unique_ptr<ServerTls> tls_;
  std::unique_ptr<ServerAuth> auth_;
  std::optional<libmaps::MatchList> mynetworks_;
  std::optional<libmaps::MatchList> xclient_hosts_;
  std::optional<libmaps::MatchList> xforward_hosts_;
  std::optional<libmaps::MatchList> noop_commands_;
  std::optional<libmaps::MatchList> forbidden_commands_;
};

}  // namespace mta
