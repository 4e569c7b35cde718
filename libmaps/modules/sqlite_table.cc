#include "libmaps/modules/sqlite_table.h"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>

#include "libconf/text.h"
#include "libmaps/lookup_error.h"
#include "libmaps/modules/export_module.h"
#include "libmaps/query_template.h"
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

Result<Database> open_database(const std::string& file, std::string_view table) {
  sqlite3* handle = nullptr;
  const int status = ::sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr);
  Database database(handle);  // There is one after most failures, too.
  if (status == SQLITE_OK) return database;
  const int reason = database ? ::sqlite3_system_errno(handle) : ENOMEM;
  return Error{.kind = ErrorKind::kInputOutput,
               .message = concat(table, ": open database ", file, ": ",
                                 database ? ::sqlite3_errmsg(handle) : ::sqlite3_errstr(status), ": ",
                                 std::generic_category().message(reason)),
               .file = file};
}

class SqliteTable final : public Table {
 public:
  SqliteTable(std::string name, std::string config_name, Database database, QueryRules rules,
              libconf::DiagnosticSink& warnings)
      : Table(std::move(name)),
        config_name_(std::move(config_name)),
        database_(std::move(database)),
        rules_(std::move(rules)),
        warnings_(warnings) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    const Result<bool> is_accepted = rules_.accepts(key);
    if (!is_accepted) return is_accepted.error();
    if (!*is_accepted) return std::optional<std::string>();
    const std::string query = rules_.query_for(key, quote);
    errno = 0;
    sqlite3_stmt* handle = nullptr;
    const int status = ::sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &handle, nullptr);
    const Statement statement(handle);
    if (status == SQLITE_BUSY || status == SQLITE_LOCKED) return temporary_error("prepare", query);
    if (status != SQLITE_OK)
      return Error{.kind = ErrorKind::kSyntax,
                   .message = concat(place(), "SQL prepare failed: ", ::sqlite3_errmsg(database_.get()), "?"),
                   .file = config_name_};
    return read_rows(statement.get(), key, query);
  }

 private:
  Result<std::optional<std::string>> read_rows(sqlite3_stmt* statement, std::string_view key,
                                               std::string_view query) {
    ResultList results(rules_, key);
    int status = SQLITE_MISUSE;
    // A query of nothing but a comment has no statement.
    while (statement != nullptr && (status = ::sqlite3_step(statement)) == SQLITE_ROW) {
      const auto* value = reinterpret_cast<const char*>(::sqlite3_column_text(statement, 0));
      if (value != nullptr && !results.add(value)) return lookup_error(errno);
    }
    if (status != SQLITE_DONE) return temporary_error("step", query);
    return results.take();
  }

  Error temporary_error(std::string_view step, std::string_view query) {
    const int reason = errno;
    warnings_.warn("sqlite-failed", concat(place(), "SQL ", step, " failed for query '", query,
                                           "': ", ::sqlite3_errmsg(database_.get()), "?"));
    return lookup_error(reason);
  }

  std::string place() const { return concat("dict_sqlite_lookup: ", config_name_, ": "); }

  std::string config_name_;
  Database database_;
  QueryRules rules_;
  libconf::DiagnosticSink& warnings_;
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
