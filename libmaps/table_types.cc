#include "libmaps/table_types.h"

#include <algorithm>
#include <array>

namespace libmaps {
namespace {

constexpr std::array kTypes = {
    TableType{.name = "btree",
              .suffix = ".db",
              .is_buildable = true,
              .is_iterable = true,
              .changes = Changes::kInPlace,
              .null_terminated = true,
              .lock = LockStyle::kFlock},
    TableType{.name = "cdb",
              .suffix = ".cdb",
              .is_buildable = true,
              .is_iterable = true,
              .changes = Changes::kBulkOnly,
              .duplicate_label = DuplicateLabel::kSource},
    TableType{.name = "cidr", .keys = KeyKind::kPattern, .reads_file = true},
    TableType{.name = "debug", .keys = KeyKind::kPattern},
    TableType{.name = "environ", .changes = Changes::kNoDelete},
    TableType{.name = "fail", .is_buildable = true, .is_iterable = true, .changes = Changes::kInPlace},
    TableType{.name = "hash",
              .suffix = ".db",
              .is_buildable = true,
              .is_iterable = true,
              .changes = Changes::kInPlace,
              .null_terminated = true,
              .lock = LockStyle::kFlock},
    TableType{.name = "inline", .is_iterable = true},
    TableType{.name = "internal", .is_iterable = true, .changes = Changes::kInPlace},
    TableType{.name = "ldap", .asks_server = true},
    TableType{.name = "lmdb",
              .suffix = ".lmdb",
              .is_buildable = true,
              .is_iterable = true,
              .changes = Changes::kInPlace,
              .null_terminated = true,
              .lock = LockStyle::kFcntl,
              .duplicate_label = DuplicateLabel::kTypeAndSource},
    TableType{.name = "memcache", .is_iterable = true, .changes = Changes::kInPlace, .asks_server = true},
    TableType{.name = "mongodb", .asks_server = true},
    TableType{.name = "mysql", .asks_server = true},
    TableType{.name = "nis", .asks_server = true},
    TableType{.name = "pcre", .keys = KeyKind::kPattern, .reads_file = true},
    TableType{.name = "pgsql", .asks_server = true},
    TableType{.name = "pipemap", .keys = KeyKind::kPattern},
    TableType{.name = "proxy",
              .keys = KeyKind::kPattern,  // The service says what the keys of the table behind it are.
              .is_iterable = true,
              .changes = Changes::kInPlace,
              .asks_server = true},
    TableType{.name = "randmap", .keys = KeyKind::kPattern},
    TableType{.name = "redis", .asks_server = true},
    TableType{.name = "regexp", .keys = KeyKind::kPattern, .reads_file = true},
    TableType{.name = "socketmap", .keys = KeyKind::kPattern, .asks_server = true},
    TableType{.name = "sqlite"},
    TableType{.name = "static", .changes = Changes::kNoDelete},
    TableType{.name = "tcp", .keys = KeyKind::kPattern, .asks_server = true},
    TableType{.name = "texthash", .reads_file = true, .is_iterable = true},
    TableType{.name = "unionmap", .keys = KeyKind::kPattern},
    TableType{.name = "unix", .asks_server = true},
};
static_assert(std::is_sorted(kTypes.begin(), kTypes.end(),
                             [](const TableType& a, const TableType& b) { return a.name < b.name; }));

}  // namespace

std::span<const TableType> table_types() { return kTypes; }

const TableType* find_table_type(std::string_view name) {
  const auto* type = std::lower_bound(kTypes.begin(), kTypes.end(), name,
                                      [](const TableType& row, std::string_view n) { return row.name < n; });
  return type != kTypes.end() && type->name == name ? type : nullptr;
}

}  // namespace libmaps
