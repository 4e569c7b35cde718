#include "libmaps/modules/sqlite_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/query_template.h"
#include "libmaps/sql_parameters.h"
#include "libmaps/sql_query.h"

namespace libmaps {
namespace {

using libconf::concat;

struct CloseDatabase {
  void operator()(sqlite3* database) const { ::sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// A text inside '' ends at a single quote alone (https://www.sqlite.org/lang_expr.html, literal values).
void quote(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
}

/// How long a lookup waits for another process that is changing the database.
constexpr int kBusyTimeout = 5000;  // milliseconds

Result<Database> open_database(const std::string& file, std::string_view table) {
  sqlite3* handle = nullptr;
  const int status = ::sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr);
  Database database(handle);  // There is one after most failures, too.
  if (status == SQLITE_OK) {
    ::sqlite3_busy_timeout(handle, kBusyTimeout);
    return database;
  }
  const int reason = database ? ::sqlite3_system_errno(handle) : ENOMEM;
  return Error{.kind = ErrorKind::kInputOutput,
               .message = concat(table, ": open database ", file, ": ",
                                 database ? ::sqlite3_errmsg(handle) : ::sqlite3_errstr(status), ": ",
                                 std::generic_category().message(reason)),
               .file = file};
}

bool is_busy(int status) { return status == SQLITE_BUSY || status == SQLITE_LOCKED; }

class SqliteTable final : public Table {
 public:
  SqliteTable(std::string name, std::string config_name, Database database, QueryRules rules,
              libconf::DiagnosticSink& warnings)
      : Table(std::move(name)),
        config_name_(std::move(config_name)),
        database_(std::move(database)),
        rules_(std::move(rules)),
        warnings_(warnings),
        bound_query_(query_with_parameters(rules_)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const Result<bool> is_accepted = rules_.accepts(key);
    if (!is_accepted) return is_accepted.error();
    if (!*is_accepted) return std::optional<std::string>();
    errno = 0;
    const int prepared = prepare_bound();
    if (is_busy(prepared)) return temporary_error(prepare_failure());
    if (prepared == SQLITE_OK) {
      const RunningStatement running(bound_.get());
      bind(key);
      const int status = ::sqlite3_step(bound_.get());
      if (status == SQLITE_ROW || status == SQLITE_DONE || is_busy(status))
        return read_rows(bound_.get(), status, key);
      // What is wrong is said of the query as it is written.
    }
    return ask_in_text(key);
  }

  /// One transaction costs one lock on the database, however many lookups are in it.
  Result<void> hold() override {
    lock_errno_ = 0;
    if (bound_query_) ::sqlite3_exec(database_.get(), "BEGIN", nullptr, nullptr, nullptr);
    return {};
  }
  void release() override {
    if (::sqlite3_get_autocommit(database_.get()) == 0)
      ::sqlite3_exec(database_.get(), "COMMIT", nullptr, nullptr, nullptr);
  }

 private:
  /// A statement locks the database until it is reset.
  struct ResetStatement {
    void operator()(sqlite3_stmt* statement) const { ::sqlite3_reset(statement); }
  };
  using RunningStatement = std::unique_ptr<sqlite3_stmt, ResetStatement>;

  /// Makes `bound_`, once. SQLITE_MISUSE: there is none for this query.
  int prepare_bound() {
    if (bound_) return SQLITE_OK;
    if (!bound_query_) return SQLITE_MISUSE;
    sqlite3_stmt* handle = nullptr;
    const int status = ::sqlite3_prepare_v2(database_.get(), bound_query_->c_str(), -1, &handle, nullptr);
    bound_.reset(handle);
    if (is_busy(status)) return status;
    // Not all parameters are in the first statement when a second one follows, which SQLite never looks at.
    const auto count = std::count(bound_query_->begin(), bound_query_->end(), '?');
    if (bound_ && ::sqlite3_bind_parameter_count(handle) == count) return SQLITE_OK;
    bound_.reset();
    bound_query_.reset();
    return SQLITE_MISUSE;
  }

  void bind(std::string_view key) {
    int number = 0;
    rules_.query_for(key, [&](std::string_view part, std::string&) {
      ::sqlite3_bind_text(bound_.get(), ++number, part.data(), static_cast<int>(part.size()), SQLITE_STATIC);
    });
  }

  Result<std::optional<std::string>> ask_in_text(std::string_view key) {
    const std::string query = rules_.query_for(key, quote);
    sqlite3_stmt* handle = nullptr;
    const int status = ::sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &handle, nullptr);
    const Statement statement(handle);
    if (is_busy(status)) return temporary_error(prepare_failure());
    if (status != SQLITE_OK)
      return Error{.kind = ErrorKind::kSyntax, .message = prepare_failure(), .file = config_name_};
    // A query of nothing but a comment has no statement.
    return read_rows(handle, handle == nullptr ? SQLITE_MISUSE : ::sqlite3_step(handle), key);
  }

  /// The rows of `statement`, from the one that `status` is of.
  Result<std::optional<std::string>> read_rows(sqlite3_stmt* statement, int status, std::string_view key) {
    // Postfix takes the lock for each lookup, and its errno is that of each.
    if (errno == 0) errno = lock_errno_;
    lock_errno_ = errno;
    ResultList results(rules_, key);
    for (; status == SQLITE_ROW; status = ::sqlite3_step(statement)) {
      const auto* value = reinterpret_cast<const char*>(::sqlite3_column_text(statement, 0));
      if (value != nullptr && !results.add(value)) return lookup_error(errno);
    }
    if (status != SQLITE_DONE)
      return temporary_error(
          concat(place(), "SQL step failed for query '", rules_.query_for(key, quote), "': ", error_text()));
    return results.take();
  }

  Error temporary_error(std::string message) {
    const int reason = errno;
    warnings_.warn("sqlite-failed", std::move(message));
    return lookup_error(reason);
  }

  std::string place() const { return concat("dict_sqlite_lookup: ", config_name_, ": "); }
  std::string prepare_failure() const { return concat(place(), "SQL prepare failed: ", error_text()); }
  std::string error_text() const { return concat(::sqlite3_errmsg(database_.get()), "?"); }

  std::string config_name_;
  Database database_;
  QueryRules rules_;
  libconf::DiagnosticSink& warnings_;
  std::optional<std::string> bound_query_;  ///< With `?` for the parts of a key; if the query allows it.
  Statement bound_;     ///< Kept, so that the query is compiled once. Goes before the database does.
  int lock_errno_ = 0;  ///< What the last lookup that took the lock left in errno.
};

}  // namespace

Result<std::unique_ptr<Table>> make_sqlite(const TableConfig& config, const TableContext& context) {
  const std::string table = concat("sqlite:", config.name());
  const Result<std::string> path = config.get_string("dbpath", "", {.min = 1});
  if (!path) return path.error();
  const Result<std::string> query = read_sql_query(config, table, context.warnings);
  if (!query) return query.error();
  Result<QueryRules> rules = QueryRules::read(config, "sqlite", *query, table, context);
  if (!rules) return rules.error();
  Result<Database> database = open_database(*path, table);
  if (!database) return database.error();
  return std::unique_ptr<Table>(std::make_unique<SqliteTable>(table, config.name(), std::move(*database),
                                                              std::move(*rules), context.warnings));
}

}  // namespace libmaps

POSTKIT_EXPORT_CLIENT("sqlite", libmaps::make_sqlite);
