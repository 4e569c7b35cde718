/// The setting `hosts` of PostgreSQL clients (pgsql_table(5)), and how to speak of a connection without its
/// password.
///
///     for (const PgsqlHost& host : parse_pgsql_hosts("unix:/run/postgresql postgresql://mail@db1/mail")) ...
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace libmaps {

/// One of `hosts`.
struct PgsqlHost {
  std::string text;       ///< For messages: as written, but a URI without password, port and database.
  bool is_local = false;  ///< A UNIX-domain socket.
  std::string uri;        ///< A connection URI, complete. Empty: the others hold.
  std::string name;       ///< A directory of sockets, a host name or an address; empty: libpq's default.
  std::string port;       ///< As written: libpq judges it. Empty: libpq's default.
  std::string root = {};  ///< Where a directory starts, as libconf::RootedPath::root.
};

/// Whether libpq takes the text for a connection URI, postgresql:// or postgres://.
bool is_pgsql_uri(std::string_view text);

/// Hosts in the order of the text, which are separated by blanks or commas: a URI, a directory with the
/// socket (with or without "unix:"), "NAME:PORT" (with or without "inet:"), "[ADDRESS]:PORT". The port can be
/// left out. As in Postfix the prefixes say nothing: what begins with '/' is a directory. Directories
/// start at `root`, but not that of a URI. No host at all is "localhost".
std::vector<PgsqlHost> parse_pgsql_hosts(std::string_view text, const std::string& root = {});

/// SCHEME://USER@HOST of a connection URI. A part is left out where it cannot be told from an unescaped
/// password.
std::string redact_pgsql_uri(std::string_view uri);

/// `message` with "..." for each quoted text in it that may be a part of the password in `connection`, a URI
/// or a connection string: libpq quotes what it cannot understand.
std::string hide_password(std::string_view message, std::string_view connection);

}  // namespace libmaps
