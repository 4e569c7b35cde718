#include "libmaps/modules/mysql_session.h"

#include <cppconn/datatype.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <mysql_connection.h>
#include <mysql_driver.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "libconf/service_root.h"
#include "libconf/text.h"

// The connector throws; nothing that it throws leaves this file.
namespace libmaps {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// Whether an error leaves a connection that can be used. All errors of the client library (2000 and up,
/// https://mariadb.com/kb/en/mariadb-error-code-reference/) are about the connection; of the server's, those
/// with which it closes it.
bool is_connection_usable(const std::exception& failure) {
  const auto* const error = dynamic_cast<const sql::SQLException*>(&failure);
  if (error == nullptr) return false;
  constexpr auto kClosing = std::to_array<int>(
      {1053, 1080, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031});
  const int code = error->getErrorCode();
  const bool is_of_server = (code >= 1000 && code < 2000) || code >= 3000;
  return is_of_server && std::find(kClosing.begin(), kClosing.end(), code) == kClosing.end();
}

/// `step` is the function of the C library that failed, as Postfix names it.
Error failed(const std::exception& failure, std::string_view step = {}) {
  return {
      .kind = is_connection_usable(failure) ? ErrorKind::kTemporary : ErrorKind::kInputOutput,
      .message = concat("query failed", step.empty() ? "" : concat(" (", step, ")"), ": ", failure.what())};
}

Error refused(std::string_view reason) {
  return {.kind = ErrorKind::kTemporary, .message = concat("query failed: ", reason)};
}

Error unquotable() { return {.kind = ErrorKind::kInputOutput, .message = "query failed: not connected"}; }

/// Where to connect to. The client library takes "localhost" to mean the default socket, and so users know
/// it.
void set_host(const DatabaseHost& host, sql::ConnectOptionsMap& options) {
  if (host.is_local || host.name.empty() || host.name == "localhost") {
    const libconf::RootedPath socket{.path = host.is_local ? host.name : "", .root = host.root};
    options["hostName"] = sql::SQLString(concat("unix://", socket.on_host()));
    return;
  }
  const bool is_ipv6 = host.name.find(':') != std::string::npos;
  options["hostName"] = sql::SQLString(concat("tcp://", is_ipv6 ? "[" : "", host.name, is_ipv6 ? "]" : ""));
  options["port"] = host.port;  // 0 leaves it to the option file, or to the default.
}

sql::ConnectOptionsMap connect_options(const DatabaseHost& host, const MysqlLogin& login) {
  sql::ConnectOptionsMap options;
  set_host(host, options);
  options["userName"] = sql::SQLString(login.user);
  // An empty password is one. Left out, the option file's would count, or that of the environment; the
  // connector leaves out what has no bytes, and passes on a C string.
  options["password"] = sql::SQLString(login.password.empty() ? std::string(1, '\0') : login.password);
  options["schema"] = sql::SQLString(login.database);
  const struct {
    const char* name;
    const std::string& value;
  } texts[] = {{"OPT_CHARSET_NAME", login.charset},      {"readDefaultFile", login.option_file},
               {"readDefaultGroup", login.option_group}, {"sslKey", login.tls_key_file},
               {"sslCert", login.tls_cert_file},         {"sslCA", login.tls_ca_file},
               {"sslCAPath", login.tls_ca_path},         {"sslCipher", login.tls_ciphers}};
  for (const auto& [name, value] : texts)
    if (!value.empty()) options[name] = sql::SQLString(value);
  if (login.tls_verify_cert) options["sslVerify"] = true;
  for (const char* const name : {"OPT_CONNECT_TIMEOUT", "OPT_READ_TIMEOUT", "OPT_WRITE_TIMEOUT"})
    options[name] = static_cast<int>(login.timeout.count());
  return options;
}

/// The client library quotes by the character set that it believes the connection to have. A server may use
/// another one from the start (skip-character-set-client-handshake, init_connect), and then a key could end
/// its quotes. Assigning the variable to itself has the server tell the client which it is.
void agree_on_charset(sql::Connection& connection) {
  const std::unique_ptr<sql::Statement> statement(connection.createStatement());
  try {
    statement->execute(
        "SET SESSION session_track_system_variables = 'character_set_client', "
        "SESSION character_set_client = @@SESSION.character_set_client");
  } catch (const sql::SQLException& failure) {
    constexpr int kUnknownSystemVariable = 1193;  // MySQL before 5.7, MariaDB before 10.2.
    if (failure.getErrorCode() != kUnknownSystemVariable) throw;
  }
}

/// What a result set has for columns.
struct Columns {
  std::vector<unsigned> bit_bytes;  ///< Of each; 0 where it is no BIT column.
  bool is_plain = true;             ///< Texts and integers, which look the same in any result.
};

bool is_plain(sql::ResultSetMetaData& types, unsigned column) {
  switch (types.getColumnType(column)) {
    case sql::DataType::CHAR:
    case sql::DataType::VARCHAR:
    case sql::DataType::LONGVARCHAR:
    case sql::DataType::BINARY:
    case sql::DataType::VARBINARY:
    case sql::DataType::LONGVARBINARY:
      return true;
    case sql::DataType::TINYINT:
    case sql::DataType::SMALLINT:
    case sql::DataType::MEDIUMINT:
    case sql::DataType::INTEGER:
    case sql::DataType::BIGINT:
      return !types.isZerofill(column);
    case sql::DataType::DECIMAL:  // An unsigned BIGINT, joined.
      return types.getScale(column) == 0 && !types.isZerofill(column);
    default:
      return false;
  }
}

Columns columns_of(const sql::ResultSet& rows) {
  Columns columns;
  sql::ResultSetMetaData& types = *rows.getMetaData();
  for (unsigned column = 1; column <= types.getColumnCount(); ++column) {
    const bool is_bit = types.getColumnType(column) == sql::DataType::BIT;
    columns.bit_bytes.push_back(is_bit ? types.getPrecision(column) : 0);
    columns.is_plain = columns.is_plain && is_plain(types, column);
  }
  return columns;
}

/// A value as the server sent it, up to a zero byte: to Postfix it is a C string. The connector gives the
/// number that bits make.
std::string value_of(const sql::ResultSet& row, unsigned column, unsigned bit_bytes) {
  if (bit_bytes == 0) return row.getString(column).c_str();
  const std::uint64_t bits = row.getUInt64(column);
  std::string bytes;
  for (unsigned rest = bit_bytes; rest-- > 0;) bytes += static_cast<char>(bits >> (8 * rest));
  return bytes.c_str();
}

/// Appends the values of the current row that are not NULL, from column `first` on.
void add_values(const sql::ResultSet& row, const Columns& columns, unsigned first,
                std::vector<std::string>& values) {
  for (unsigned column = first; column <= columns.bit_bytes.size(); ++column)
    if (!row.isNull(column)) values.push_back(value_of(row, column, columns.bit_bytes[column - 1]));
}

}  // namespace

MysqlSession::MysqlSession(std::string host, std::unique_ptr<sql::mysql::MySQL_Connection> connection)
    : host_(std::move(host)), connection_(std::move(connection)) {}

MysqlSession::~MysqlSession() = default;

Result<std::unique_ptr<MysqlSession>> MysqlSession::open(const DatabaseHost& host, const MysqlLogin& login) {
  try {
    sql::ConnectOptionsMap options = connect_options(host, login);
    std::unique_ptr<sql::mysql::MySQL_Connection> connection(static_cast<sql::mysql::MySQL_Connection*>(
        sql::mysql::get_mysql_driver_instance()->connect(options)));
    agree_on_charset(*connection);
    return std::make_unique<MysqlSession>(host.text, std::move(connection));
  } catch (const std::exception& failure) {
    return Error{.kind = ErrorKind::kInputOutput, .message = failure.what()};
  }
}

void MysqlSession::quote(std::string_view text, std::string& out) {
  try {
    out += connection_->escapeString(sql::SQLString(text.data(), text.size())).asStdString();
  } catch (const std::exception&) {
    is_quotable_ = false;
  }
}

Result<MysqlRows> MysqlSession::ask(const std::string& text) {
  if (!is_quotable_) return unquotable();
  MysqlRows answer;
  bool has_more_sets = false;
  columns_ = 0;
  std::string_view step;
  try {
    const std::unique_ptr<sql::Statement> statement(connection_->createStatement());
    // The call of a procedure gives its status after its result sets. All must be read before the next query.
    for (bool is_set = statement->execute(sql::SQLString(text)); is_set;) {
      step = "mysql_store_result";
      const std::unique_ptr<sql::ResultSet> rows(statement->getResultSet());
      has_more_sets = answer.is_set;
      answer.is_set = true;
      const Columns columns = columns_of(*rows);
      while (!has_more_sets && rows->next()) add_values(*rows, columns, 1, answer.values);
      columns_ = columns.is_plain ? columns.bit_bytes.size() : 0;
      step = "mysql_next_result";
      is_set = statement->getMoreResults();
    }
  } catch (const std::exception& failure) {
    return failed(failure, step);
  }
  if (has_more_sets) return refused("multiple result sets returning data are not supported");
  return answer;
}

Result<std::vector<MysqlRows>> MysqlSession::ask_joined(const JoinableSelect& select,
                                                        std::span<const std::string> parameters) {
  constexpr unsigned kNumber = 1;  // The column that JoinableSelect::join() adds.
  std::vector<MysqlRows> answers(kBranches, MysqlRows{.is_set = true});
  bool is_complete = false;
  try {
    if (!joined_) joined_.reset(connection_->prepareStatement(select.join(kBranches, columns_)));
    unsigned number_of_parameter = 0;
    for (const std::string& parameter : parameters) joined_->setString(++number_of_parameter, parameter);
    const std::unique_ptr<sql::ResultSet> rows(joined_->executeQuery());
    const Columns columns = columns_of(*rows);
    std::size_t latest = 0;
    while (columns.is_plain && !is_complete && rows->next()) {
      const std::size_t number = rows->getUInt(kNumber);
      if (number < latest || number > kBranches) break;
      latest = number;
      if (number == kBranches)
        is_complete = true;
      else
        add_values(*rows, columns, kNumber + 1, answers[number].values);
    }
    is_complete = is_complete && !rows->next();
  } catch (const std::exception& failure) {
    return failed(failure);
  }
  if (!is_complete) return refused("rows are missing");
  return answers;
}

}  // namespace libmaps
