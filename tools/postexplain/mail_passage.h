/// A mail that a client may send, on its way: rewriting, checks of its content, and where it goes.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/mta/content/cleanup.h"
#include "tools/mta/content/cleanup_sink.h"
#include "tools/mta/content/milter_client.h"
#include "tools/mta/content/staged_message.h"
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
  mta::MessageContext message_context();
  void ask_milters();
  void take_answer(std::string_view answer);
  asio::awaitable<void> ask_live(const std::vector<mta::MilterOptions>& filters);
  asio::awaitable<void> show_to(mta::MilterChain& filters);
  std::vector<std::string> filtered_parts() const;
  std::string staged_body() const;
  libconf::Result<void> complete_recipients();
  void deliver();
  void deliver_to(const mta::MessageRecipient& recipient);
  std::string show_agent(const std::string& transport, const std::string& recipient);
  libconf::Result<void> show_generic(const libconf::PlacedService& agent, const std::string& recipient);
  void refuse(const libconf::Error& error);

  // What cleanup says.
  void header(std::string_view text) override;
  void content(std::string_view text, bool ends_line) override;
  void recipient(std::string_view address, mta::RecipientSource source) override;
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
  mta::StagedMessage message_;  ///< As it leaves cleanup(8).
  std::string sender_;          ///< Rewritten, in internal form.
  // What the context of a message refers to.
  std::string client_;
  std::string external_sender_;
  std::string external_recipient_;
  std::optional<mta::MessageRecipients> recipients_;
  std::vector<std::string> added_;  ///< By BCC actions, in external form.
  std::string filter_;
  std::string redirect_;
  bool is_held_ = false;
  bool is_discarded_ = false;
  bool skips_milters_ = false;
  bool is_filtering_ = false;  ///< Filters are looking at the message.
  std::optional<mta::Rejection> rejection_;
  std::string_view stage_ = "end of data";  ///< Where it is refused.
};

}  // namespace postexplain
