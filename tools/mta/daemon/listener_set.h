/// The sockets of a master.cf, which stay open while the processes that serve them come and go.
///
///     ListenerSet listeners;
///     Result<void> opened = listeners.update(site, spool.mail_owner(), sink);
///     for (const Listener& each : listeners.all()) pass_on(each.service, each.socket.get());
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/handle.h"
#include "tools/mta/daemon/endpoint.h"
#include "tools/mta/daemon/site.h"

namespace mta {

struct Listener {
  std::string service;       ///< "smtp/inet", as MasterService::key() has it.
  std::string_view program;  ///< Who serves it: one of kServerPrograms.
  Endpoint endpoint;
  libconf::FileDescriptor socket;
};

class ListenerSet {
 public:
  /// Makes the set that of the services that a server answers at (ServiceKind::kServer): opens sockets for
  /// new ones, keeps those that are wanted still, closes the others and removes their files. Fails as a
  /// whole, and then nothing has changed. `owner`: of the files of local services. Warns of programs of
  /// Postfix that are not there. Errors: kConfiguration with file and line, for a command that does not
  /// exist; those of inet_endpoints() and listen_at().
  Result<void> update(const Site& site, const std::optional<Identity>& owner,
                      libconf::DiagnosticSink& warnings);

  /// Whether update() could understand the configuration; opens nothing. Warnings and errors: as update().
  static Result<void> check(const Site& site, libconf::DiagnosticSink& warnings);

  /// Listens no more, so that who connects is refused as soon as the server does not listen either.
  void close() { listeners_.clear(); }

  const std::vector<Listener>& all() const { return listeners_; }

 private:
  struct Wanted;
  Result<std::vector<Wanted>> wanted(const Site& site, libconf::DiagnosticSink& warnings);

  std::vector<Listener> listeners_;
};

}  // namespace mta
