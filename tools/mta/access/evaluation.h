/// One run of the engine: the lists that belong to a command, applied to the state of a session.
#pragma once

#include <asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/mta/access/access_action.h"
#include "tools/mta/access/engine_parts.h"

namespace mta {

/// What comes of a restriction, or of a list.
enum class Outcome : std::uint8_t {
  kDunno,
  kPermit,
  kReject,  ///< The verdict has the reply.
  kDiscard,
};

/// What a reply names: "<ann@example.com>: Recipient address rejected: ...".
struct Target {
  Subject subject = Subject::kNone;
  std::string name = {};
};

class Evaluation {
 public:
  Evaluation(AccessEngine::Parts& parts, const SmtpdState& state, AccessMemory& memory, Verdict& verdict,
             AccessTrace* trace)
      : parts_(parts), state_(state), memory_(memory), verdict_(verdict), trace_(trace) {}

  /// All of it; the verdict is complete then.
  asio::awaitable<void> run();

 private:
  using Method = asio::awaitable<Outcome> (Evaluation::*)(const Restriction&);
  struct Handler {
    RestrictionKind kind;
    Method method;
  };
  static const std::vector<Handler>& handlers();

  // evaluation.cc: lists, and what comes of them.
  asio::awaitable<Outcome> run_stage();
  asio::awaitable<Outcome> run_list(const NamedList& list);
  asio::awaitable<Outcome> run_restrictions(const RestrictionList& restrictions);
  asio::awaitable<Outcome> apply(const Restriction& restriction);
  asio::awaitable<Outcome> apply_traced(const Restriction& restriction);
  asio::awaitable<Outcome> run_client();
  asio::awaitable<Outcome> run_helo();
  asio::awaitable<Outcome> run_sender();
  asio::awaitable<Outcome> run_recipient();
  Outcome finish_deferred(Outcome outcome);
  bool is_bare_postmaster() const;

  // evaluation.cc: replies, warnings, the log.
  Outcome reject(AccessReply reply);
  Outcome reject_target(const Target& target, int code, std::string_view status, std::string_view text);
  Outcome server_error();
  /// Rejects at once, or if nothing else does.
  Outcome reject_temporarily(bool at_once, AccessReply reply);
  Outcome defer_if_permit(AccessReply reply);
  Outcome defer_if_reject(AccessReply reply);
  void log(std::string_view action, std::string_view text);
  void warn(std::string_view text);
  void take_warnings(const libconf::DiagnosticList& list);
  /// `action` is what permits: a restriction's name, or the word that `table` has.
  Outcome permit(std::string_view action, const Target& target, std::string_view table = {});
  AccessReply reply_for(const Target& target, int code, std::string_view status, std::string_view text) const;

  // evaluation.cc: what the session says.
  std::optional<Target> target_of(Subject subject) const;
  Target list_target() const;
  std::string client_text() const;
  asio::awaitable<const AddressInfo*> resolve(const std::string& address);
  using Answers = std::map<std::pair<std::string, DnsType>, DnsAnswer>;
  static asio::awaitable<DnsAnswer> ask(Resolver& resolver, Answers& known, std::string name, DnsType type);
  asio::awaitable<DnsAnswer> ask_dns(std::string name, DnsType type);
  /// The same for an address of a host.
  asio::awaitable<DnsAnswer> ask_host(std::string name, DnsType type);

  // checks_generic.cc
  asio::awaitable<Outcome> check_class(const Restriction&);
  asio::awaitable<Outcome> check_constant(const Restriction&);
  asio::awaitable<Outcome> check_permit_client(const Restriction&);
  asio::awaitable<Outcome> check_multi_recipient_bounce(const Restriction&);
  asio::awaitable<Outcome> check_session(const Restriction&);
  asio::awaitable<Outcome> check_sleep(const Restriction&);
  asio::awaitable<Outcome> check_unknown_client(const Restriction&);
  asio::awaitable<Outcome> check_policy(const Restriction&);

  // checks_access.cc
  asio::awaitable<Outcome> check_access(const Restriction&);
  asio::awaitable<Outcome> check_host_access(const Restriction&);
  asio::awaitable<Outcome> check_sasl_access(const Restriction&);
  asio::awaitable<Outcome> check_certificate_access(const Restriction&);
  asio::awaitable<Outcome> check_bare_table(const Restriction&);
  asio::awaitable<Outcome> check_subject_access(const Restriction&, Subject subject,
                                                const std::string& table);
  asio::awaitable<std::vector<std::string>> access_hosts(RestrictionKind kind, const Target& target,
                                                         const std::string& domain);
  struct Found {
    std::optional<libmaps::AddressMatch> match;
    std::string wanted = {};  ///< What was looked up; the entry may be of a part of it.
    bool has_failed = false;
  };
  Found find(const std::string& table, AccessKey kind, std::string_view key, const Target& target);
  asio::awaitable<Outcome> act(const Restriction& restriction, const Found& found, std::string_view table,
                               const Target& target);
  asio::awaitable<Outcome> act_on_value(const Restriction& restriction, std::string_view value,
                                        std::string_view table, std::string_view key, const Target& target);
  bool is_action_out_of_place(const AccessAction& action, std::string_view table);

  // checks_address.cc
  asio::awaitable<Outcome> check_auth_destination(const Restriction&);
  asio::awaitable<Outcome> check_invalid_helo(const Restriction&);
  asio::awaitable<Outcome> check_login_mismatch(const Restriction&);
  asio::awaitable<Outcome> check_non_fqdn(const Restriction&);
  asio::awaitable<Outcome> check_unlisted(const Restriction&);
  asio::awaitable<Outcome> check_unverified(const Restriction&);
  /// Whether mail for such an address may come from anybody (allow_untrusted_routing).
  bool is_authorised(const AddressInfo& info) const;
  asio::awaitable<bool> is_auth_destination();
  Outcome temporary_lookup_failure(const Target& target);

  // checks_dns.cc
  asio::awaitable<Outcome> check_dns_list(const Restriction&);
  asio::awaitable<Outcome> check_mx_backup(const Restriction&);
  asio::awaitable<Outcome> check_unknown_domain(const Restriction&);
  asio::awaitable<Outcome> check_unknown_helo(const Target& target);
  asio::awaitable<Outcome> check_unknown_mail_domain(const Restriction&, const Target& target);
  asio::awaitable<Outcome> reject_listed(const Restriction& restriction, const RblArgument& list,
                                         const Target& target, std::string what, std::string query);
  asio::awaitable<DnsStatus> has_address(const std::string& name);
  /// Whether all records are ignored by smtpd_dns_reply_filter, which decides nothing.
  bool warn_of_filter(std::string_view name, std::string_view what, DnsStatus status);
  std::string rbl_key(const Restriction& restriction, const Target& target) const;

  /// For the trace, if there is one.
  void note(std::string TraceStep::*what, std::string_view text) {
    if (step_ != nullptr) step_->*what = text;
  }
  void note(StepResult result) {
    if (step_ != nullptr) step_->result = result;
  }

  AccessEngine::Parts& parts_;
  const SmtpdState& state_;
  AccessMemory& memory_;
  Verdict& verdict_;

  const NamedList* list_ = nullptr;  ///< The one that is being applied.
  AccessTrace* trace_;
  TraceStep* step_ = nullptr;   ///< Of the restriction that is being applied; null: there is no trace.
  std::string step_list_ = {};  ///< Where it stands: a parameter or a table.
  /// What `reject` and the like say is rejected, while names are applied that a table has given.
  std::optional<Target> table_target_ = {};
  int depth_ = 0;
  int warn_only_ = 0;  ///< Above 0: warn_if_reject is in effect.
  std::optional<AccessReply> deferred_if_permit_ = {};
  std::optional<AccessReply> deferred_if_reject_ = {};
  std::map<std::string, AddressInfo> addresses_ = {};
  Answers answers_ = {};
  Answers hosts_ = {};
};

}  // namespace mta
