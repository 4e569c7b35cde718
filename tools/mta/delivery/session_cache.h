/// Sessions of the SMTP and LMTP client that wait for the next message (CONNECTION_CACHE_README).
///
///     SessionCache cache(executor, 2s);
///     cache.put("mx.example.com[192.0.2.7]:25", std::move(session));
///     std::unique_ptr<SmtpClientSession> session = cache.take("mx.example.com[192.0.2.7]:25");
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/delivery/smtp_client_session.h"

namespace mta {

/// Not thread-safe: it is used on one executor.
class SessionCache {
 public:
  /// `limit`: how long a session waits; then its connection is closed, without a word, as Postfix does.
  SessionCache(const asio::any_io_executor& executor, std::chrono::seconds limit)
      : limit_(limit), state_(std::make_shared<State>(executor)) {}

  /// `key` says all that sessions must have in common to stand for each other.
  void put(std::string key, std::unique_ptr<SmtpClientSession> session);

  /// The one that was put last: it is the least likely to have been left by the server. Null: there is none.
  std::unique_ptr<SmtpClientSession> take(std::string_view key);

 private:
  struct Entry {
    std::string key;
    std::unique_ptr<SmtpClientSession> session;
    std::chrono::steady_clock::time_point end;
  };
  /// What the timer may find after all else is gone.
  struct State {
    explicit State(const asio::any_io_executor& executor) : timer(executor) {}
    std::vector<Entry> entries;  ///< The oldest is first.
    asio::steady_timer timer;
    bool is_timer_set = false;
  };
  static void set_timer(const std::shared_ptr<State>& state);

  std::chrono::seconds limit_;
  std::shared_ptr<State> state_;
};

}  // namespace mta
