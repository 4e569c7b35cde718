/// A notifier for a system without bounce(8): it loses nothing and tells nobody. Recipients whose sender
/// would have to be told are tried again.
#pragma once

#include "libconf/text.h"
#include "tools/mta/delivery/notifier.h"

namespace mta {

class KeepingNotifier final : public Notifier {
 public:
  libconf::Result<void> record(NoticeKind kind, std::string_view queue_id,
                               const QueueRecipient& /*recipient*/,
                               const RecipientReport& /*report*/) override {
    if (kind != NoticeKind::kFailure) return {};
    return libconf::Error{.kind = libconf::ErrorKind::kUnsupported,
                          .message = libconf::concat(queue_id, ": nobody can tell its sender")};
  }
  asio::awaitable<bool> send(NoticeKind kind, const NoticeSubject& /*subject*/,
                             int /*message*/) override {
    co_return kind != NoticeKind::kDelay;
  }
  libconf::Result<void> forget(NoticeKind /*kind*/, std::string_view /*queue_id*/) override { return {}; }
};

}  // namespace mta
