/// Whoever wants to see the lookups of tables, as postexplain(1) does to say which one decided.
///
///     class Printer : public TableObserver { void looked_up(...) override { ... } };
///     Printer printer;
///     const TableObservation observation(printer);   // tables that are opened from now on tell it
///     auto tables = mta::open_tables("virtual_alias_maps", context);
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libconf/result.h"

namespace mta {

class TableObserver {
 public:
  virtual ~TableObserver() = default;

  /// What is opened for `table`: itself, as a rule. Lookups of it are told with the name `table` all the
  /// same.
  virtual std::string open_as(std::string_view table) { return std::string(table); }

  /// A lookup is over. `table` is what the configuration calls it, "hash:/etc/postfix/access"; `value` may be
  /// an error. Comes in the thread of the lookup.
  virtual void looked_up(std::string_view table, std::string_view key,
                         const libconf::Result<std::optional<std::string>>& value) = 0;
};

/// While it lives, tables that open_table() opens in this thread tell `observer` their lookups, for as long
/// as the tables live. A `proxy:` table is opened without its service, which may not be there. Others, and
/// all tables when there is no observer, cost nothing.
class TableObservation {
 public:
  explicit TableObservation(TableObserver& observer);
  TableObservation(const TableObservation&) = delete;
  TableObservation& operator=(const TableObservation&) = delete;
  ~TableObservation();

  /// Of this thread; null: there is none.
  static TableObserver* current();

 private:
  TableObserver* outer_;
};

}  // namespace mta
