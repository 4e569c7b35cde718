/// Milters that are asked for real about a mail that nothing else refuses (postexplain --live).
///
///     LiveMilters milters(services, session, filters, warn);
///     MilterVerdict verdict = co_await milters.tell_envelope();
///     ... MilterInspection(...).run(milters.chain()) ...
#pragma once

#include <asio/awaitable.hpp>
#include <string_view>
#include <vector>

#include "tools/mta/content/milter_client.h"
#include "tools/mta/smtp/milter_macros.h"
#include "tools/postexplain/services.h"
#include "tools/postexplain/session.h"

namespace postexplain {

/// Of one mail. All references must outlive it. The connections end with it.
class LiveMilters {
 public:
  LiveMilters(Services& services, const Session& session, const std::vector<mta::MilterOptions>& filters,
              const mta::MilterWarn& warn);
  LiveMilters(const LiveMilters&) = delete;
  LiveMilters& operator=(const LiveMilters&) = delete;

  /// Tells the whole session, up to DATA, and writes down who says what. The first verdict that ends it; or
  /// kHold, or kContinue.
  asio::awaitable<mta::MilterVerdict> tell_envelope();

  /// Where the first verdict came that ends the session: "RCPT".
  std::string_view stage() const { return stage_; }

  /// For the content.
  mta::MilterChain& chain() { return chain_; }

 private:
  /// Whether the session goes on. Without an event, the filters are told of the connection.
  asio::awaitable<bool> tell(std::string_view stage, mta::MilterEvent event);
  void show(std::size_t filter, const mta::MilterVerdict& verdict);

  Services& services_;
  const Session& session_;
  const std::vector<mta::MilterOptions>& filters_;
  mta::MilterFacts facts_;
  mta::MilterVerdict verdict_;
  std::string_view stage_;
  mta::MilterChain chain_;
};

}  // namespace postexplain
