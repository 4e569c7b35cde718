/// The sockets of a master.cf, which stay open while the processes that serve them come and go.
///
///     ListenerSet listeners;
///     Result<void> opened = listeners.update(master_cf, settings);
///     for (const Listener& each : listeners.all()) pass_on(each.service, each.socket.get());
#pragma once

#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libconf/master_cf_document.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/endpoint.h"

namespace mta {

struct Listener {
  std::string service;  ///< "smtp/inet", as MasterService::key() has it.
  Endpoint endpoint;
  libconf::FileDescriptor socket;
};

class ListenerSet {
 public:
  /// Makes the set that of the `inet` services that smtpd serves: opens sockets for new ones, keeps those
  /// that are wanted still, closes the others. Fails as a whole, and then nothing has changed. Errors:
  /// kConfiguration with file and line, for a command that does not exist, or a service that smtpd cannot be
  /// at; those of inet_endpoints() and listen_at(). `settings` are those of main.cf.
  Result<void> update(const libconf::MasterCf& master_cf, const libconf::Settings& settings);

  const std::vector<Listener>& all() const { return listeners_; }

 private:
  std::vector<Listener> listeners_;
};

}  // namespace mta
