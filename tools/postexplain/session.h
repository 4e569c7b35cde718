/// The SMTP session of a dry run: which restrictions apply at which command, and what the client is told.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/access/verdict.h"
#include "tools/postexplain/dry_run.h"
#include "tools/postexplain/services.h"

namespace postexplain {

/// One mail. All references must outlive it.
class Session {
 public:
  Session(Services& services, const Request& request, Explanation& explanation)
      : services_(services), request_(request), explanation_(explanation) {}

  /// From the connection to the content, or to the first refusal: the decision and the stage. Errors:
  /// kSyntax, for what is no address.
  libconf::Result<void> run();

  const mta::SmtpdState& state() const { return state_; }
  const mta::MessageActions& actions() const { return actions_; }

  /// In internal form.
  const std::string& sender() const { return sender_; }
  const std::string& recipient() const { return recipient_; }

  /// Whether the client may write headers without a domain: a client of this site
  /// (local_header_rewrite_clients).
  bool is_local();

  /// Refuses the mail, as far as the site leaves it at that (smtpd_reject_filter_maps and so on).
  void refuse(mta::Reply reply);

 private:
  libconf::Result<std::string> read_address(std::string_view text) const;
  asio::awaitable<void> converse();
  asio::awaitable<void> meet_client();
  void take_login();
  /// False: the session has its last reply.
  asio::awaitable<bool> pass(mta::SmtpStage stage, std::string title);

  Services& services_;
  const Request& request_;
  Explanation& explanation_;
  mta::SmtpdState state_;
  mta::AccessMemory memory_;
  mta::MessageActions actions_;
  std::string sender_;
  std::string recipient_;
};

}  // namespace postexplain
