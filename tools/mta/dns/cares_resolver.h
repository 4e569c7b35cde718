/// The resolver that asks the network, through c-ares: many questions at a time on one thread.
///
///     CaresResolver resolver(io_context.get_executor(), {});
///     const DnsAnswer answer = co_await resolver.resolve("example.com", DnsType::kMx);
///
/// Servers come from /etc/resolv.conf unless they are given.
#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/mta/dns/resolver.h"

namespace mta {

struct CaresOptions {
  std::vector<std::string> servers = {};  ///< "ADDRESS:PORT"; none: those of the system.
  std::chrono::milliseconds try_timeout{5000};
  bool is_trusted = false;  ///< Given servers may say that answers are validated; for others, see create().
  int tries = 2;            ///< For each server.
  std::chrono::milliseconds limit{30'000};  ///< For a question as a whole, whatever the servers are like.
};

/// REQUIRES: destroyed in the thread that runs the executor. Questions that are open then end as temporary
/// failures.
class CaresResolver final : public Resolver {
 public:
  /// Whether the system's servers are trusted with DNSSEC stands in /etc/resolv.conf (trust-ad), and in
  /// RES_OPTIONS of the environment. Errors: kConfiguration for servers that are no addresses, kInputOutput
  /// when c-ares cannot start.
  static libconf::Result<std::unique_ptr<CaresResolver>> create(asio::any_io_executor executor,
                                                                const CaresOptions& options);
  ~CaresResolver() override;

  asio::awaitable<DnsAnswer> resolve(std::string name, DnsType type) override;

 private:
  class Channel;
  explicit CaresResolver(std::shared_ptr<Channel> channel);
  std::shared_ptr<Channel> channel_;
};

}  // namespace mta
