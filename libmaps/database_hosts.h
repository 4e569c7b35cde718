/// The setting `hosts` of database clients (mysql_table(5), pgsql_table(5)): servers that have the same data.
///
///     Result<std::vector<DatabaseHost>> hosts = parse_database_hosts("unix:/run/db.sock
///     inet:db.example.com:3306");
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace libmaps {

/// One of `hosts`.
struct DatabaseHost {
  std::string text;       ///< As written, for messages.
  bool is_local = false;  ///< A UNIX-domain socket.
  std::string name;       ///< The path of the socket, or a host name or address without brackets.
  int port = 0;           ///< Of TCP; 0: the client's default.
  std::string root = {};  ///< Where the path starts, as libconf::RootedPath::root.
};

/// Hosts in the order of the text, which are separated by blanks or commas: "unix:PATH", "inet:NAME:PORT",
/// "NAME:PORT", "[ADDRESS]:PORT"; the port follows the last colon, can be left out except after an IPv6
/// address without brackets, and may be the name of a service. A socket's path ends at its last colon, too.
/// No host at all is "localhost". Paths start at `root`. Errors: kConfiguration, for a
/// bad port.
libconf::Result<std::vector<DatabaseHost>> parse_database_hosts(std::string_view text,
                                                                const std::string& root = {});

}  // namespace libmaps
