/// A service of master.cf that runs in the server process, whatever it serves.
///
///     std::unique_ptr<Service> service = ...;            // see served_commands.h
///     Result<void> listening = service->listen(Transport::kUnix, std::move(socket));
///     ...
///     service->stop();   // its last clients have an EventLoop::Hold each
#pragma once

#include "libconf/handle.h"
#include "libconf/result.h"
#include "tools/mta/daemon/endpoint.h"

namespace mta {

/// Not thread-safe. It must live until the event loop has run to its end.
class Service {
 public:
  Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;

  /// Serves at a socket that listens, or the reading end of a named pipe. Error: kUnsupported, for a
  /// transport that its clients do not come by.
  virtual libconf::Result<void> listen(Transport transport, libconf::FileDescriptor socket) = 0;

  /// The wake-up time of its entry has come (master(5)).
  virtual void wake_up() {}

  /// Whether a client has come so far: what a wake-up time with `?` waits for.
  virtual bool was_used() const = 0;

  /// Another process has taken over: takes no more clients, and serves those that are there to their end.
  virtual void retire() { stop(); }

  /// Takes no more clients, and lets those that are there finish what they are about: that alone keeps a loop
  /// that is drained. It may come after retire().
  virtual void stop() = 0;
};

}  // namespace mta
