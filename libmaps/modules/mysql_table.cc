#include "libmaps/modules/mysql_table.h"

#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <mysql_connection.h>
#include <mysql_driver.h>

#include <cerrno>
#include <vector>

#include "libconf/text.h"
#include "libmaps/host_pool.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/query_template.h"
#include "libmaps/sql_query.h"

// The connector throws. Every call of it is in a function of Session, and lookup() catches what they throw.
namespace libmaps {
namespace {

using libconf::concat;

struct Login {
  std::string user;
  std::string password;
  std::string database;
  std::string charset;
};

/// As the connector wants it.
std::string url_of(const DatabaseHost& host) {
  if (host.is_local) return concat("unix://", host.name);
  // The client library takes it to mean the default socket, and so users know it.
  if (host.name == "localhost") return "unix://";
  return concat("tcp://", host.name, host.port == 0 ? "" : concat(":", std::to_string(host.port)));
}

/// A connection. All its functions throw std::exception for a failure.
class Session {
 public:
  Session(const DatabaseHost& host, const Login& login) {
    sql::ConnectOptionsMap options;
    options["hostName"] = sql::SQLString(url_of(host));
    options["userName"] = sql::SQLString(login.user);
    options["password"] = sql::SQLString(login.password);
    options["schema"] = sql::SQLString(login.database);
    // The character set counts for quoting, too: set here, not by a statement that quoting does not see.
    options["OPT_CHARSET_NAME"] = sql::SQLString(login.charset);
    options["OPT_CONNECT_TIMEOUT"] = kConnectTimeout;
    sql::Connection* const connection = sql::mysql::get_mysql_driver_instance()->connect(options);
    connection_.reset(static_cast<sql::mysql::MySQL_Connection*>(connection));
  }

  /// Quotes by the rules of this connection: its character set, and whether backslashes escape.
  void quote(std::string_view text, std::string& out) {
    out += connection_->escapeString(sql::SQLString(text.data(), text.size())).asStdString();
  }

  /// Runs a query and adds its values to `results`. False: it gave no result set.
  bool run(const std::string& query, ResultList& results, bool& is_within_limit) {
    const std::unique_ptr<sql::Statement> statement(connection_->createStatement());
    if (!statement->execute(sql::SQLString(query))) return false;
    const std::unique_ptr<sql::ResultSet> rows(statement->getResultSet());
    while (is_within_limit && rows->next()) {
      const sql::SQLString value = rows->getString(1);
      // A value is a C string to Postfix.
      if (!rows->isNull(1)) is_within_limit = results.add(value.c_str());
    }
    return true;
  }

 private:
  static constexpr int kConnectTimeout = 60;  // seconds

  std::unique_ptr<sql::mysql::MySQL_Connection> connection_;
};

class MysqlTable final : public Table {
 public:
  struct Parameters {
    HostIntervals intervals;
    Login login;
    bool requires_result_set = true;
  };

  MysqlTable(std::string name, std::vector<DatabaseHost> hosts, Parameters parameters, QueryRules rules,
             libconf::DiagnosticSink& warnings)
      : Table(std::move(name)),
        parameters_(std::move(parameters)),
        rules_(std::move(rules)),
        warnings_(warnings),
        pool_(std::move(hosts), parameters_.intervals,
              [this](const DatabaseHost& host) { return connect(host); }) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const Result<bool> is_accepted = rules_.accepts(key);
    if (!is_accepted) return is_accepted.error();
    if (!*is_accepted) return std::optional<std::string>();
    reason_ = 0;
    Answer answer;
    if (!pool_.try_each([&](Session& session) { return ask(session, key, answer); }))
      return lookup_error(reason_);
    return answer;
  }

 private:
  using Answer = Result<std::optional<std::string>>;

  std::unique_ptr<Session> connect(const DatabaseHost& host) {
    errno = 0;
    try {
      return std::make_unique<Session>(host, parameters_.login);
    } catch (const std::exception& failure) {
      reason_ = errno;
      warnings_.warn("connect-failed", concat("connect to mysql server ", host.text, ": ", failure.what()));
      return nullptr;
    }
  }

  Attempt ask(Session& session, std::string_view key, Answer& answer) {
    errno = 0;
    try {
      const std::string query =
          rules_.query_for(key, [&](std::string_view text, std::string& out) { session.quote(text, out); });
      ResultList results(rules_, key);
      bool is_within_limit = true;
      if (!session.run(query, results, is_within_limit) && parameters_.requires_result_set)
        throw std::runtime_error("query returned no result set");
      answer = is_within_limit ? Answer(results.take()) : lookup_error(errno);
      return Attempt::kDone;
    } catch (const std::exception& failure) {
      warnings_.warn("query-failed", concat("mysql query failed: ", failure.what()));
      return Attempt::kLost;
    }
  }

  Parameters parameters_;
  QueryRules rules_;
  libconf::DiagnosticSink& warnings_;
  HostPool<Session> pool_;
  int reason_ = 0;  ///< The errno of the last connection that could not be made.
};

Result<Login> read_login(const TableConfig& config) {
  Login login;
  const struct {
    std::string* value;
    std::string_view setting;
    std::string_view fallback;
    SettingLimits limits;
  } settings[] = {{&login.user, "user", "", {}},
                  {&login.password, "password", "", {}},
                  {&login.database, "dbname", "", {.min = 1}},
                  {&login.charset, "charset", "utf8mb4", {}}};
  for (const auto& [value, setting, fallback, limits] : settings) {
    Result<std::string> read = config.get_string(setting, fallback, limits);
    if (!read) return read.error();
    *value = std::move(*read);
  }
  return login;
}

}  // namespace

Result<std::unique_ptr<Table>> make_mysql(const TableConfig& config, const TableContext& context) {
  const std::string table = concat("mysql:", config.name());
  MysqlTable::Parameters parameters;
  Result<Login> login = read_login(config);
  if (!login) return login.error();
  parameters.login = std::move(*login);
  const Result<bool> requires_result_set = config.get_bool("require_result_set", true);
  if (!requires_result_set) return requires_result_set.error();
  parameters.requires_result_set = *requires_result_set;
  const Result<std::string> query = read_sql_query(config, table, context.warnings);
  if (!query) return query.error();
  Result<QueryRules> rules = QueryRules::read(config, "mysql", *query, table, context);
  if (!rules) return rules.error();
  const Result<std::string> host_list = config.get_string("hosts", "");
  if (!host_list) return host_list.error();
  Result<std::vector<DatabaseHost>> hosts = parse_database_hosts(*host_list);
  if (!hosts) return hosts.error();
  return std::unique_ptr<Table>(std::make_unique<MysqlTable>(table, std::move(*hosts), std::move(parameters),
                                                             std::move(*rules), context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("mysql", libmaps::make_mysql);
