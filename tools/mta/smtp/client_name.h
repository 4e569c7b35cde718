/// Who a client is, by the name that its address leads to (smtpd(8), "reverse and forward name lookups").
///
///     ClientState client = co_await look_up_client("192.0.2.7", "54321", hosts, resolver);
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "tools/mta/access/smtpd_state.h"
#include "tools/mta/dns/hosts_file.h"
#include "tools/mta/dns/resolver.h"

namespace mta {

/// Looks up the name of an address, and whether that name has the address; a name in hosts(5) needs no proof.
/// Other sessions go on meanwhile.
asio::awaitable<ClientState> look_up_client(std::string address, std::string port, const HostsFile& hosts,
                                            Resolver& resolver);

/// A client that comes by a UNIX-domain socket, as Postfix has it.
ClientState local_client();

}  // namespace mta
