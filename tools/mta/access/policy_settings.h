/// The argument of check_policy_service (SMTPD_POLICY_README, "Advanced policy client configuration").
///
///     auto service = parse_policy_service("{ inet:127.0.0.1:9998, timeout=10s, default_action=DUNNO }",
///     settings);
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "libconf/service_root.h"
#include "libconf/settings.h"

namespace mta {

/// One policy server, and how to treat it. Members without a comment are the parameter
/// smtpd_policy_service_NAME.
struct PolicyServiceSettings {
  std::string argument;  ///< All of it, as it was written: what warnings about answers call it.
  std::string endpoint;  ///< "inet:HOST:PORT" or "unix:PATH", as it was written.
  std::string name;      ///< The same without its type: what messages say.
  bool is_unix = false;
  std::string host = {};
  std::string port = {};
  libconf::RootedPath path = {};
  std::chrono::seconds timeout{};
  std::chrono::seconds max_idle{};
  std::chrono::seconds max_ttl{};
  std::chrono::seconds retry_delay{};
  std::int64_t request_limit = 0;  ///< 0: none.
  std::int64_t try_limit = 0;
  std::string default_action = {};
  std::string policy_context = {};
};

/// Reads an endpoint, or a list in braces of an endpoint and settings of its own; others come from
/// `settings`. Errors: kConfiguration, worded as Postfix words them.
libconf::Result<PolicyServiceSettings> parse_policy_service(std::string_view argument,
                                                            const libconf::Settings& settings);

}  // namespace mta
