/// Asks policy servers (SMTPD_POLICY_README), over TCP or UNIX-domain sockets, and keeps connections for the
/// next question.
///
///     PolicyClient client(io_context.get_executor(), {compatibility_level, mail_version});
///     std::string action = co_await client.ask(service, state, warn);
///     client.release(state.instance);  // once the message is done with
///
/// All questions of one message go over one connection, as the protocol promises, unless the server closes
/// it.
#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "tools/mta/access/policy_protocol.h"
#include "tools/mta/access/policy_settings.h"
#include "tools/mta/access/services.h"

namespace mta {

/// Not thread-safe. Must outlive the questions that are open.
class PolicyClient final : public PolicyService {
 public:
  PolicyClient(asio::any_io_executor executor, PolicyVersions versions);
  ~PolicyClient() override;

  asio::awaitable<std::string> ask(const PolicyServiceSettings& settings, const SmtpdState& state,
                                   const std::function<void(std::string)>& warn) override;

  /// Lets the connections of a message go: others may use them.
  void release(std::string_view instance);

  /// How many connections are kept for another question.
  std::size_t kept() const { return kept_.size(); }

 private:
  class Connection;
  using Clock = std::chrono::steady_clock;

  std::shared_ptr<Connection> take(const PolicyServiceSettings& settings, const std::string& instance);
  void keep(std::shared_ptr<Connection> connection, const PolicyServiceSettings& settings);
  void drop_expired();
  void schedule();

  asio::any_io_executor executor_;
  PolicyVersions versions_;
  std::list<std::shared_ptr<Connection>> kept_;
  struct Timer;
  std::shared_ptr<Timer> timer_;  ///< Shared, so that its callback knows when the client is gone.
};

}  // namespace mta
