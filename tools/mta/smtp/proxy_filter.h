/// The client's side of a before-queue content filter (SMTPD_PROXY_README): mail goes to another SMTP server
/// while it comes in, and that server's replies are ours.
///
///     ProxyFilter filter(executor, options, queue, client, warn);
///     std::optional<Reply> refusal = co_await filter.start("MAIL FROM:<a@b>");
///     if (!refusal) refusal = co_await filter.recipient("RCPT TO:<c@d>");
///     refusal = co_await filter.data();
///     filter.line(text, false); ...
///     Reply reply = co_await filter.finish();
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/settings.h"
#include "tools/mta/daemon/client_socket.h"
#include "tools/mta/queue/spill_buffer.h"
#include "tools/mta/smtp/content_reader.h"
#include "tools/mta/smtp/reply.h"

namespace mta {

/// What main.cf says about the filter.
struct ProxyOptions {
  std::string endpoint;  ///< smtpd_proxy_filter; empty: there is none.
  ServerPlace place;
  std::string ehlo;                 ///< smtpd_proxy_ehlo
  std::chrono::seconds timeout{0};  ///< smtpd_proxy_timeout
  bool is_speed_adjusted =
      false;  ///< smtpd_proxy_options: the filter is asked when all of the message is here.

  /// Errors: kConfiguration.
  static libconf::Result<ProxyOptions> read(const libconf::Settings& settings);
};

/// What the filter is told of the client with XFORWARD; an empty value is not known.
using ForwardedAttributes = std::vector<std::pair<std::string_view, std::string>>;

/// One message. Not thread-safe; `options` and `queue` must outlive it.
class ProxyFilter final : public ContentSink {
 public:
  using Warn = std::function<void(std::string_view text)>;

  ProxyFilter(const asio::any_io_executor& executor, const ProxyOptions& options, const QueueDirectory& queue,
              ForwardedAttributes client, Warn warn);
  ~ProxyFilter() override;

  /// Tells of the sender; needed once, before the first recipient. Commands are as the client gave them. A
  /// reply: the filter refuses, or cannot be asked; another call tries again.
  asio::awaitable<std::optional<Reply>> start(std::string mail_command);
  bool is_started() const { return is_started_; }

  /// Tells of a recipient. A reply: it is refused with that.
  asio::awaitable<std::optional<Reply>> recipient(std::string command);

  /// Asks whether content may come. A reply: it may not.
  asio::awaitable<std::optional<Reply>> data();

  /// ContentSink. Nothing is sent before send(), which keeps up with the client.
  void line(std::string_view text, bool is_continued) override;
  asio::awaitable<void> send();

  /// All of the content is here: the filter's reply to it.
  asio::awaitable<Reply> finish();

 private:
  /// A reply of the filter, all lines with <CR><LF> between them; empty: the connection is lost, and that was
  /// warned of.
  using Answer = asio::awaitable<std::string>;

  asio::awaitable<std::optional<Reply>> open(std::string mail_command);
  Answer ask(std::string_view command);  // which must stay until the reply is here
  Answer read_reply();
  asio::awaitable<std::optional<Reply>> forward_client(std::string_view ehlo_reply);
  asio::awaitable<std::optional<Reply>> replay();
  std::optional<Reply> judge(std::string_view command, std::string_view reply, char wanted);
  void lose(std::string_view fault);
  void leave();

  asio::any_io_executor executor_;
  const ProxyOptions& options_;
  ForwardedAttributes client_;
  Warn warn_;
  std::shared_ptr<ClientSocket> socket_;
  std::string input_;
  std::string output_;  ///< Content that has not been sent.
  bool is_in_line_ = false;
  bool is_started_ = false;
  std::string mail_command_;                ///< For later.
  std::vector<std::string> rcpt_commands_;  ///< The same.
  SpillBuffer content_;                     ///< For later, too.
};

}  // namespace mta
