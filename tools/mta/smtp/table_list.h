/// The tables of a parameter such as smtpd_reject_footer_maps, asked in their order.
///
///     Result<TableList> tables = TableList::open("smtpd_reject_footer_maps", context);
///     Result<std::optional<std::string>> value = tables->lookup("550 5.1.1 <x>: User unknown");
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"

namespace mta {

/// Movable; not thread-safe, as tables are not.
class TableList {
 public:
  /// Without tables.
  TableList() = default;

  /// A table that cannot be opened is warned of, and every lookup in it fails. What `context` refers to must
  /// outlive the object. Errors: as Settings::get().
  static libconf::Result<TableList> open(std::string_view parameter, const libmaps::TableContext& context);

  /// One table, as open() has each.
  static TableList of(std::string_view spec, const libmaps::TableContext& context);

  bool is_empty() const { return tables_.empty(); }

  /// The value of the first table that has `key`. An error says which could not tell: `hash:/x lookup error
  /// for "KEY"`; those behind it are not asked.
  libconf::Result<std::optional<std::string>> lookup(std::string_view key);

 private:
  struct Source {
    std::string spec;
    std::unique_ptr<libmaps::Table> table;  ///< Null: it could not be opened.
  };
  void add(std::string_view spec, const libmaps::TableContext& context);

  std::vector<Source> tables_;
};

}  // namespace mta
