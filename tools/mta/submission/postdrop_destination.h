/// Submits the message of an SMTP session, as any user may (sendmail -bs).
///
///     auto destination = PostdropDestination::open("/usr/sbin/postdrop");
#pragma once

#include <memory>
#include <string>

#include "tools/mta/smtp/message_intake.h"
#include "tools/mta/submission/postdrop_client.h"

namespace mta {

/// It waits for the program: for a process that serves one client.
class PostdropDestination final : public MessageDestination {
 public:
  /// Errors: as PostdropClient::start().
  static libconf::Result<std::unique_ptr<MessageDestination>> open(const std::string& program);

  const std::string& id() const override { return client_.queue_id(); }
  void begin(Envelope envelope) override;
  void line(std::string_view text, bool is_continued) override;
  asio::awaitable<IntakeResult> finish() override;

 private:
  explicit PostdropDestination(PostdropClient client) : client_(std::move(client)) {}
  void header(std::string_view lines);

  PostdropClient client_;
};

}  // namespace mta
