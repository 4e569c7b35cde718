/// A mail that a client may send, on its way: rewriting, checks of its content, and where it goes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/mta/content/cleanup.h"
#include "tools/mta/content/cleanup_sink.h"
#include "tools/mta/smtp/message_recipients.h"
#include "tools/postexplain/dry_run.h"
#include "tools/postexplain/services.h"
#include "tools/postexplain/session.h"

namespace postexplain {

/// All references must outlive it.
class MailPassage final : private mta::CleanupSink {
 public:
  MailPassage(Services& services, Session& session, const Request& request, Explanation& explanation)
      : services_(services), session_(session), request_(request), explanation_(explanation) {}

  /// Completes the explanation.
  void run();

 private:
  libconf::Result<void> rewrite();
  void inspect();
  void ask_milters();
  libconf::Result<void> complete_recipients();
  void deliver();
  void deliver_to(const mta::MessageRecipient& recipient);
  std::string show_agent(const std::string& transport, const std::string& recipient);
  libconf::Result<void> show_generic(const libconf::PlacedService& agent, const std::string& recipient);
  void refuse(const libconf::Error& error);

  // What cleanup says.
  void header(std::string_view) override {}
  void content(std::string_view, bool) override {}
  void recipient(std::string_view address, mta::RecipientSource) override { added_.emplace_back(address); }
  void content_filter(std::string_view destination) override { filter_ = destination; }
  void redirect(std::string_view address) override { redirect_ = address; }
  void hold() override { is_held_ = true; }
  void pass() override { skips_milters_ = true; }
  void content_is_8bit() override {}
  void log(libconf::Severity severity, std::string_view line) override;
  void discard() override { is_discarded_ = true; }
  void reject(const mta::Rejection& rejection) override { rejection_ = rejection; }

  Services& services_;
  Session& session_;
  const Request& request_;
  Explanation& explanation_;

  mta::RewriteContext context_ = mta::RewriteContext::kRemote;
  std::string sender_;  ///< Rewritten, in internal form.
  std::optional<mta::MessageRecipients> recipients_;
  std::vector<std::string> added_;  ///< By BCC actions, in external form.
  std::string filter_;
  std::string redirect_;
  bool is_held_ = false;
  bool is_discarded_ = false;
  bool skips_milters_ = false;
  std::optional<mta::Rejection> rejection_;
};

}  // namespace postexplain
