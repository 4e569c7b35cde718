/// Puts mail that local(8) forwards into the queue, as a new message.
///
///     auto id = co_await forwarder.forward(request, {.sender = sender, .recipients = ..., .head = ...},
///     message);
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/delivery/delivery_agent.h"

namespace mta {

struct ForwardedMail {
  std::string sender;  ///< In internal form.
  /// In internal form; `original` and `dsn_original` are empty where the recipient is its own original.
  std::vector<QueueRecipient> recipients = {};
  std::vector<std::string> head = {};  ///< Header lines that come first, without line ends.
  std::uint64_t content_offset = 0;    ///< In the queue file of the request.
};

/// Not thread-safe; several messages may be under way at a time.
class MailForwarder {
 public:
  MailForwarder() = default;
  MailForwarder(const MailForwarder&) = delete;
  MailForwarder& operator=(const MailForwarder&) = delete;
  virtual ~MailForwarder() = default;

  /// Returns the queue ID when the message is on the disk. `message` is the queue file of the request, whose
  /// content it gets. Errors: it is not in the queue, and may be tried again.
  virtual asio::awaitable<libconf::Result<std::string>> forward(const DeliveryRequest& request,
                                                                ForwardedMail mail, int message) = 0;
};

}  // namespace mta
