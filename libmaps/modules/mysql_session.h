/// A connection to a MySQL or MariaDB server, by way of MySQL Connector/C++.
///
///     Result<std::unique_ptr<MysqlSession>> session = MysqlSession::open(host, login);
///     std::string query = rules.query_for(key, [&](auto text, auto& out) { (*session)->quote(text, out); });
///     Result<MysqlRows> rows = (*session)->ask(query);
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/database_hosts.h"
#include "libmaps/sql_union.h"

namespace sql {
class PreparedStatement;
}
namespace sql::mysql {
class MySQL_Connection;
}

namespace libmaps {

/// What a session is opened with, the same for every host. Empty texts are left to the option file, or to the
/// client library's defaults.
struct MysqlLogin {
  std::string user;
  std::string password;
  std::string database;
  std::string charset;
  std::string option_file;
  std::string option_group;  ///< [client] is read before it; no option file is read when both are empty.
  std::string tls_key_file;
  std::string tls_cert_file;
  std::string tls_ca_file;
  std::string tls_ca_path;
  std::string tls_ciphers;
  bool tls_verify_cert = false;
  std::chrono::seconds timeout{60};  ///< Of connecting, and of each wait for the server.
};

/// The values that are not NULL, row by row.
struct MysqlRows {
  bool is_set = false;  ///< False: the statement gave no result set.
  std::vector<std::string> values;
};

/// Not thread-safe. Errors, below: kInputOutput, when the connection is of no further use; kTemporary, when
/// the server refuses this statement but the next one may do. Messages are worded as Postfix's.
class MysqlSession {
 public:
  /// Connects and logs in. Errors: kInputOutput, the reason alone; no password is in it.
  static libconf::Result<std::unique_ptr<MysqlSession>> open(const DatabaseHost& host,
                                                             const MysqlLogin& login);
  /// For open().
  MysqlSession(std::string host, std::unique_ptr<sql::mysql::MySQL_Connection> connection);
  MysqlSession(const MysqlSession&) = delete;
  MysqlSession& operator=(const MysqlSession&) = delete;
  ~MysqlSession();

  /// Of the server, as DatabaseHost::text.
  const std::string& host() const { return host_; }

  /// Appends `text` so that it stands for itself within '' quotes, by the rules of this connection: its
  /// character set, and whether backslashes escape.
  void quote(std::string_view text, std::string& out);

  /// Runs one statement, which may be the call of a procedure that gives one result set.
  libconf::Result<MysqlRows> ask(const std::string& statement);

  /// Whether ask_joined() may be used: ask() has seen that the query gives texts and integers only.
  bool can_join() const { return columns_ > 0; }

  /// The same as ask() for kBranches queries, by one statement that the server keeps. `parameters` are those
  /// of the first branch, of the second, ... REQUIRES: can_join(); `select` is the same in each call.
  libconf::Result<std::vector<MysqlRows>> ask_joined(const JoinableSelect& select,
                                                     std::span<const std::string> parameters);

  /// How many queries are worth joining. With more, it takes longer until the first has its answer.
  static constexpr std::size_t kBranches = 32;

 private:
  std::string host_;
  std::unique_ptr<sql::mysql::MySQL_Connection> connection_;
  std::unique_ptr<sql::PreparedStatement> joined_;  ///< From the first ask_joined() on.
  bool is_quotable_ = true;  ///< False: a query has a text missing, and must not be asked.
  std::size_t columns_ = 0;  ///< Of the latest result, where its types are fit for ask_joined().
};

}  // namespace libmaps
