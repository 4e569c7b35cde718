/// A connection to a proxymap service, over a UNIX-domain socket (proxymap(8)).
///
///     ProxyClient client(settings, "proxy:hash:/etc/postfix/access", sink);
///     Result<ProxyReply> reply = client.ask({.kind = ProxyRequestKind::kLookup, ...});
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/proxy_protocol.h"
#include "libmaps/stream_connection.h"
#include "libmaps/table.h"

namespace libmaps {

/// Where a service is, and how long a client bears with it (postconf(5)).
struct ProxyClientSettings {
  std::string service;           ///< "proxymap"
  std::string path;              ///< Of its socket.
  std::chrono::seconds timeout;  ///< ipc_timeout: for connecting, and for each exchange.
  std::chrono::seconds idle;     ///< ipc_idle: a connection that was not used for so long is closed.
  std::chrono::seconds ttl;      ///< ipc_ttl: and one that is so old.
};

/// The service that `service_parameter` names, "proxymap_service_name". Errors: a setting.
Result<ProxyClientSettings> read_proxy_settings(const libconf::Settings& settings,
                                                std::string_view service_parameter);

/// Not thread-safe. The sink must outlive it.
class ProxyClient {
 public:
  /// `table` is the name for messages.
  ProxyClient(ProxyClientSettings settings, std::string table, libconf::DiagnosticSink& warnings)
      : settings_(std::move(settings)), table_(std::move(table)), warnings_(warnings) {}

  const std::string& service() const { return settings_.service; }

  /// Sends a request and waits for its reply, connecting before if need be. Where the service closes the
  /// connection instead, as one does that has been idle, it is asked once more over a new one; but not for a
  /// next entry, as the service may have forgotten which. Errors: kTemporary, the reason alone, after a
  /// warning.
  Result<ProxyReply> ask(const ProxyRequest& request);

 private:
  using Clock = StreamConnection::Clock;

  Result<void> connect();
  /// A message, as it came. Nothing: the service has closed the connection, and sent nothing.
  Result<std::optional<std::string>> read_message(StreamConnection::Deadline deadline);
  Result<std::optional<std::string>> exchange(std::string_view request);
  Error fail(std::string_view what, Error error);

  ProxyClientSettings settings_;
  std::string table_;
  libconf::DiagnosticSink& warnings_;
  std::optional<StreamConnection> connection_;
  Clock::time_point connected_;
  Clock::time_point used_;
};

}  // namespace libmaps
