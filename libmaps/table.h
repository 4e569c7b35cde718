/// Lookup tables as Postfix users know them: `type:name` (DATABASE_README).
///
///     auto table = libmaps::open("cidr:/etc/postfix/clients", context);
///     if (!table) return table.error();
///     Result<std::optional<std::string>> value = (*table)->lookup("192.0.2.7");
///
/// The interfaces are narrow, by capability; which type has which is written in libmaps/table_types.h. No
/// table is thread-safe: open one per thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libconf/result.h"

namespace libmaps {

using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

/// A table that can be asked.
class Table {
 public:
  explicit Table(std::string name) : name_(std::move(name)) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  virtual ~Table() = default;

  /// The name in messages: "hash:/etc/postfix/access.db", "pcre:/etc/postfix/checks".
  const std::string& name() const { return name_; }

  /// The value stored under `key`, or nothing when the table has no such key. An error means that the table
  /// could not tell (ErrorKind::kTemporary) or is damaged (kDataCorrupt): never treat it as "not found". Its
  /// message is the reason alone, "Application error"; it is empty when whoever runs the other side must
  /// change something (kConfiguration), and complete when the table's own query is malformed (kSyntax).
  virtual Result<std::optional<std::string>> lookup(std::string_view key) = 0;

  /// Until release(), keeps what a lookup needs, such as the shared lock on a file: many lookups then cost
  /// one lock. Do not wait for anything meanwhile, as writers do. Holds do not nest.
  virtual Result<void> hold() { return {}; }
  virtual void release() {}

  /// Says that lookup(key) comes soon, within the same hold; lookups come in the order that they were said
  /// in. A table may fetch what it will need, or the answer.
  virtual void expect(std::string_view) {}

  /// How many keys ahead expect() is of use.
  virtual std::size_t lookahead() const { return 4; }

 private:
  std::string name_;
};

/// What for_each() calls. Views are valid during the call only. An error ends the iteration and is returned.
using EntryVisitor = std::function<Result<void>(std::string_view key, std::string_view value)>;

/// A table that can list its entries.
class IterableTable : public Table {
 public:
  using Table::Table;

  /// Visits every entry, in the table's own order.
  virtual Result<void> for_each(const EntryVisitor& visit) = 0;
};

/// A table that can be changed, an entry at a time. An index file is under its exclusive lock from opening to
/// finish().
class WritableTable {
 public:
  explicit WritableTable(std::string name) : name_(std::move(name)) {}
  WritableTable(const WritableTable&) = delete;
  WritableTable& operator=(const WritableTable&) = delete;
  virtual ~WritableTable() = default;

  /// As Table::name().
  const std::string& name() const { return name_; }

  /// Stores an entry. When the key is there already, replaces its value if `replace` is set; otherwise
  /// changes nothing and returns false.
  virtual Result<bool> store(std::string_view key, std::string_view value, bool replace) = 0;

  /// Removes an entry. Returns whether there was one.
  virtual Result<bool> remove(std::string_view key) = 0;

  /// Makes the changes durable and lets the lock go. A table that is destroyed without it may have any part
  /// of the changes.
  virtual Result<void> finish() = 0;

 private:
  std::string name_;
};

/// One entry of an index to build. The texts belong to the caller.
struct Entry {
  std::string_view key;
  std::string_view value;
};

}  // namespace libmaps
