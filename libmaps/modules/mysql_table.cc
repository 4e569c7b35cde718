#include "libmaps/modules/mysql_table.h"

#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <mysql_connection.h>
#include <mysql_driver.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <random>
#include <vector>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/query_template.h"
#include "libmaps/sql_query.h"
#include "libmaps/table_config.h"

// The connector throws. Every call of it is in a function of Session, and lookup() catches what they throw.
namespace libmaps {
namespace {

using libconf::concat;

/// One of `hosts`.
struct DatabaseHost {
  std::string text;       ///< As written, for messages.
  std::string url;        ///< As the connector wants it.
  bool is_local = false;  ///< A UNIX-domain socket.
};

struct Login {
  std::string user;
  std::string password;
  std::string database;
  std::string charset;
};

Error bad(std::string message) { return {.kind = ErrorKind::kConfiguration, .message = std::move(message)}; }

Result<int> parse_port(const std::string& service) {
  if (!libconf::is_all_digits(service)) {
    const servent* const entry = ::getservbyname(service.c_str(), "tcp");
    if (entry == nullptr) return bad(concat("unknown service: ", service, "/tcp"));
    return ntohs(static_cast<std::uint16_t>(entry->s_port));
  }
  constexpr int kHighest = 65535;
  int port = 0;
  const auto [end, failed] = std::from_chars(service.data(), service.data() + service.size(), port);
  if (failed != std::errc() || port > kHighest) return bad(concat("bad port number: ", service));
  return port;
}

Result<DatabaseHost> parse_host(std::string_view text) {
  DatabaseHost host{.text = std::string(text)};
  if (text.starts_with("unix:")) {
    host.is_local = true;
    host.url = concat("unix://", text.substr(5));
    return host;
  }
  if (text.starts_with("inet:")) text.remove_prefix(5);
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  // The client library takes it to mean the default socket, and so users know it.
  if (name == "localhost") {
    host.url = "unix://";
    return host;
  }
  host.url = concat("tcp://", name);
  if (colon == std::string_view::npos) return host;
  const Result<int> port = parse_port(std::string(text.substr(colon + 1)));
  if (!port) return port.error();
  host.url += concat(":", std::to_string(*port));
  return host;
}

/// A connection. All its functions throw std::exception for a failure.
class Session {
 public:
  Session(const DatabaseHost& host, const Login& login) {
    sql::ConnectOptionsMap options;
    options["hostName"] = sql::SQLString(host.url);
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
    std::vector<DatabaseHost> hosts;
    Login login;
    bool requires_result_set = true;
  };

  MysqlTable(std::string name, Parameters parameters, QueryRules rules, libconf::DiagnosticSink& warnings)
      : Table(std::move(name)),
        parameters_(std::move(parameters)),
        rules_(std::move(rules)),
        warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const Result<bool> is_accepted = rules_.accepts(key);
    if (!is_accepted) return is_accepted.error();
    if (!*is_accepted) return std::optional<std::string>();
    // The server may have closed a connection that is not new: all hosts get another chance.
    if (session_) {
      if (const std::optional<Answer> answer = ask(key)) return *answer;
    }
    int reason = 0;
    for (const DatabaseHost& host : hosts_in_order()) {
      if (connect(host, reason)) {
        if (const std::optional<Answer> answer = ask(key)) return *answer;
      }
    }
    return lookup_error(reason);
  }

 private:
  using Answer = Result<std::optional<std::string>>;

  std::vector<DatabaseHost> hosts_in_order() {
    std::vector<DatabaseHost> hosts = parameters_.hosts;
    std::shuffle(hosts.begin(), hosts.end(), random_);
    std::stable_partition(hosts.begin(), hosts.end(), [](const DatabaseHost& host) { return host.is_local; });
    return hosts;
  }

  bool connect(const DatabaseHost& host, int& reason) {
    errno = 0;
    try {
      session_.emplace(host, parameters_.login);
      return true;
    } catch (const std::exception& failure) {
      reason = errno;
      warnings_.warn("connect-failed", concat("connect to mysql server ", host.text, ": ", failure.what()));
      return false;
    }
  }

  /// The answer of the server that is connected; nothing, after a warning, when there is none and another
  /// server may have one. REQUIRES: session_.
  std::optional<Answer> ask(std::string_view key) {
    errno = 0;
    try {
      const std::string query = rules_.query_for(
          key, [this](std::string_view text, std::string& out) { session_->quote(text, out); });
      ResultList results(rules_, key);
      bool is_within_limit = true;
      if (!session_->run(query, results, is_within_limit) && parameters_.requires_result_set)
        throw std::runtime_error("query returned no result set");
      if (!is_within_limit) return Answer(lookup_error(errno));
      return Answer(results.take());
    } catch (const std::exception& failure) {
      warnings_.warn("query-failed", concat("mysql query failed: ", failure.what()));
      session_.reset();
      return std::nullopt;
    }
  }

  Parameters parameters_;
  QueryRules rules_;
  libconf::DiagnosticSink& warnings_;
  std::optional<Session> session_;
  std::mt19937 random_{std::random_device{}()};
};

Result<std::vector<DatabaseHost>> read_hosts(const TableConfig& config) {
  const Result<std::string> value = config.get_string("hosts", "");
  if (!value) return value.error();
  std::vector<DatabaseHost> hosts;
  std::string_view rest = value->empty() ? std::string_view("localhost") : *value;
  while (const auto word = libconf::next_word(rest, libconf::kListSeparators)) {
    Result<DatabaseHost> host = parse_host(*word);
    if (!host) return host.error();
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

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

Result<std::unique_ptr<Table>> open_mysql(std::string_view name, const TableContext& context) {
  const std::string table = concat("mysql:", name);
  const Result<TableConfig> config = TableConfig::open(name, context);
  if (!config) return config.error();
  MysqlTable::Parameters parameters;
  Result<Login> login = read_login(*config);
  if (!login) return login.error();
  parameters.login = std::move(*login);
  const Result<bool> requires_result_set = config->get_bool("require_result_set", true);
  if (!requires_result_set) return requires_result_set.error();
  parameters.requires_result_set = *requires_result_set;
  const Result<std::string> query = read_sql_query(*config, table, context.warnings);
  if (!query) return query.error();
  Result<QueryRules> rules = QueryRules::read(*config, "mysql", *query, table, context);
  if (!rules) return rules.error();
  Result<std::vector<DatabaseHost>> hosts = read_hosts(*config);
  if (!hosts) return hosts.error();
  parameters.hosts = std::move(*hosts);
  return std::unique_ptr<Table>(
      std::make_unique<MysqlTable>(table, std::move(parameters), std::move(*rules), context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_MODULE("mysql", libmaps::open_mysql);
