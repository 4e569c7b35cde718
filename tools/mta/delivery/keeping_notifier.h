/// A notifier for a system without bounce(8): it loses nothing and tells nobody. Mail that a sender would
/// have to be told of stays in the queue.
#pragma once

#include "tools/mta/delivery/notifier.h"

namespace mta {

class KeepingNotifier final : public Notifier {
 public:
  libconf::Result<void> record(NoticeKind /*kind*/, std::string_view /*queue_id*/,
                               const QueueRecipient& /*recipient*/,
                               const RecipientReport& /*report*/) override {
    return {};
  }
  asio::awaitable<bool> send(NoticeKind kind, const NoticeSubject& subject, int /*message*/) override {
    co_return kind == NoticeKind::kTrace || subject.sender.empty();
  }
  libconf::Result<void> forget(NoticeKind /*kind*/, std::string_view /*queue_id*/) override { return {}; }
};

}  // namespace mta
