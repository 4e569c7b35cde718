/// flush(8) as a service of the queue manager's process: postqueue(1) and smtpd(8) come by a UNIX-domain
/// socket, with one request each.
///
///     FlushService service(io, flush, 3600s);
#pragma once

#include <asio/io_context.hpp>
#include <chrono>

#include "libconf/result.h"
#include "tools/mta/daemon/local_acceptors.h"
#include "tools/mta/daemon/service.h"
#include "tools/mta/queue/fast_flush.h"
#include "tools/mta/submission/attribute_list.h"

namespace qmgr {

/// Not thread-safe. It must live until the event loop has run to its end.
class FlushService final : public mta::Service {
 public:
  /// `limit`: for all of a conversation (ipc_timeout).
  FlushService(asio::io_context& io, mta::FastFlush& flush, std::chrono::seconds limit)
      : io_(io), flush_(flush), limit_(limit) {}

  libconf::Result<void> listen(mta::Transport transport, libconf::FileDescriptor socket) override;
  void wake_up() override { flush_.refresh(); }
  bool was_used() const override { return was_used_; }
  void stop() override { acceptors_.close(); }

 private:
  using Socket = mta::LocalAcceptors::Socket;
  void take(Socket client);
  asio::awaitable<void> serve(std::shared_ptr<Socket> client);
  std::optional<mta::FlushStatus> carry_out(const mta::AttributeList& request);

  asio::io_context& io_;
  mta::FastFlush& flush_;
  const std::chrono::seconds limit_;
  mta::LocalAcceptors acceptors_{io_, [this](Socket client) { take(std::move(client)); }};
  bool was_used_ = false;
};

}  // namespace qmgr
