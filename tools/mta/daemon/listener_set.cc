#include "tools/mta/daemon/listener_set.h"

#include <unistd.h>

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/daemon/service_role.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::MasterService;
using libconf::PlacedService;

std::string message_at(const libconf::MasterCf& master_cf, const PlacedService& service,
                       std::string_view message) {
  return concat(master_cf.file(), ": line ", std::to_string(service.line), ": service ",
                service.service.key(), ": ", message);
}

Error at(const libconf::MasterCf& master_cf, const PlacedService& service, const Error& error) {
  return {.kind = error.kind,
          .message = message_at(master_cf, service, error.message),
          .file = master_cf.file(),
          .line = service.line};
}

/// What the command of an entry is; an error, where there is no such thing.
Result<ServiceKind> kind_of(const MasterService& service) {
  const std::string& command = service.field(MasterField::kCommand);
  const ServiceRole* const role = find_service_role(command);
  if (role != nullptr) return role->kind;
  return libconf::configuration_error(concat("no such command: ", command));
}

/// Where an entry listens: nowhere, unless a server answers.
Result<std::vector<Endpoint>> endpoints_of(const PlacedService& placed, const Site& site,
                                           libconf::DiagnosticSink& warnings) {
  const Result<ServiceKind> kind = kind_of(placed.service);
  if (!kind) return kind.error();
  if (*kind == ServiceKind::kAbsent)
    warnings.warn("absent-service",
                  message_at(site.master_cf(), placed,
                             concat(placed.service.field(MasterField::kCommand),
                                    " is not part of Postkit, and nothing is served for it")));
  if (*kind != ServiceKind::kServer) return std::vector<Endpoint>();
  const std::optional<Transport> transport = find_transport(placed.service.type());
  if (!transport)
    return libconf::configuration_error(concat("unsupported service type: ", placed.service.type()));
  if (*transport == Transport::kInet)
    return inet_endpoints(placed.service.service(), site.settings().for_service(placed, site.master_cf()));
  const bool is_private = placed.service.field(MasterField::kPrivate) != "n";
  return std::vector{local_endpoint(placed.service.service(), *transport, is_private)};
}

}  // namespace

/// What update() is to reach.
struct ListenerSet::Wanted {
  const PlacedService* placed;
  Endpoint endpoint;
  Listener* open;                       ///< Null: a socket is to be opened.
  libconf::FileDescriptor opened = {};  ///< That socket.
};

Result<std::vector<ListenerSet::Wanted>> ListenerSet::wanted(const Site& site,
                                                             libconf::DiagnosticSink& warnings) {
  std::vector<Wanted> wanted;
  for (const PlacedService* const placed : site.services()) {
    const Result<std::vector<Endpoint>> endpoints = endpoints_of(*placed, site, warnings);
    if (!endpoints) return at(site.master_cf(), *placed, endpoints.error());
    for (const Endpoint& endpoint : *endpoints) {
      const auto open = std::find_if(listeners_.begin(), listeners_.end(),
                                     [&](const Listener& each) { return each.endpoint == endpoint; });
      wanted.push_back({placed, endpoint, open == listeners_.end() ? nullptr : &*open});
    }
  }
  return wanted;
}

Result<void> ListenerSet::check(const Site& site, libconf::DiagnosticSink& warnings) {
  const Result<std::vector<Wanted>> wanted = ListenerSet().wanted(site, warnings);
  if (!wanted) return wanted.error();
  return {};
}

Result<void> ListenerSet::update(const Site& site, const std::optional<Identity>& owner,
                                 libconf::DiagnosticSink& warnings) {
  Result<std::vector<Wanted>> wanted = this->wanted(site, warnings);
  if (!wanted) return wanted.error();
  for (Wanted& each : *wanted) {
    if (each.open != nullptr) continue;
    Result<libconf::FileDescriptor> socket = listen_at(each.endpoint, owner);
    if (!socket) return at(site.master_cf(), *each.placed, socket.error());
    each.opened = std::move(*socket);
  }
  std::vector<Listener> updated;
  for (Wanted& each : *wanted) {
    libconf::FileDescriptor& socket = each.open != nullptr ? each.open->socket : each.opened;
    const ServiceRole* const role = find_service_role(each.placed->service.field(MasterField::kCommand));
    updated.push_back(
        {each.placed->service.key(), role->program, std::move(each.endpoint), std::move(socket)});
  }
  for (const Listener& each : listeners_) {
    const auto has_its_path = [&](const Listener& other) {
      return other.endpoint.address == each.endpoint.address;
    };
    if (each.endpoint.family == AF_UNIX && std::none_of(updated.begin(), updated.end(), has_its_path))
      ::unlink(each.endpoint.address.c_str());
  }
  listeners_ = std::move(updated);
  return {};
}

}  // namespace mta
