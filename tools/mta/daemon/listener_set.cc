#include "tools/mta/daemon/listener_set.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/mta/daemon/service_role.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::MasterService;
using libconf::PlacedService;

Error at(const libconf::MasterCf& master_cf, const PlacedService& service, ErrorKind kind,
         std::string_view message) {
  return {.kind = kind,
          .message = concat(master_cf.file(), ": line ", std::to_string(service.line), ": ", message),
          .file = master_cf.file(),
          .line = service.line};
}

/// What the command of an entry is; an error, where there is nothing to run.
Result<ServiceKind> kind_of(const MasterService& service) {
  const std::string& command = service.field(MasterField::kCommand);
  const ServiceRole* const role = find_service_role(command);
  const auto refused = [&](std::string_view reason) {
    return Error{.kind = ErrorKind::kConfiguration,
                 .message = concat("service ", service.key(), ": ", reason)};
  };
  if (role == nullptr) return refused(concat("no such command: ", command));
  if (role->kind == ServiceKind::kAbsent) return refused(concat(command, " is not part of Postkit"));
  if (role->kind == ServiceKind::kSmtpServer && service.type() != "inet")
    return refused(concat(command, " listens at inet sockets only"));
  return role->kind;
}

/// Where an entry listens: nowhere, unless it is of an SMTP server.
Result<std::vector<Endpoint>> endpoints_of(const PlacedService& placed, const libconf::MasterCf& master_cf,
                                           const libconf::Settings& settings) {
  const Result<ServiceKind> kind = kind_of(placed.service);
  if (!kind) return kind.error();
  if (*kind != ServiceKind::kSmtpServer) return std::vector<Endpoint>();
  return inet_endpoints(placed.service.service(), settings.for_service(placed, master_cf));
}

}  // namespace

Result<void> ListenerSet::update(const libconf::MasterCf& master_cf, const libconf::Settings& settings) {
  struct Wanted {
    std::string service;
    Endpoint endpoint;
    Listener* open;  ///< Null: a socket is to be opened.
  };
  std::vector<Wanted> wanted;
  for (const PlacedService& placed : master_cf.services()) {
    const Result<std::vector<Endpoint>> endpoints = endpoints_of(placed, master_cf, settings);
    if (!endpoints) return at(master_cf, placed, endpoints.error().kind, endpoints.error().message);
    for (const Endpoint& endpoint : *endpoints) {
      const auto open = std::find_if(listeners_.begin(), listeners_.end(),
                                     [&](const Listener& each) { return each.endpoint == endpoint; });
      wanted.push_back({placed.service.key(), endpoint, open == listeners_.end() ? nullptr : &*open});
    }
  }

  std::vector<libconf::FileDescriptor> opened(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].open != nullptr) continue;
    Result<libconf::FileDescriptor> socket = listen_at(wanted[i].endpoint);
    if (!socket) return socket.error();
    opened[i] = std::move(*socket);
  }

  std::vector<Listener> updated;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    libconf::FileDescriptor& socket = wanted[i].open != nullptr ? wanted[i].open->socket : opened[i];
    updated.push_back({std::move(wanted[i].service), std::move(wanted[i].endpoint), std::move(socket)});
  }
  listeners_ = std::move(updated);
  return {};
}

}  // namespace mta
