#include "libmaps/open.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "libmaps/checked_table.h"
#include "libmaps/cidr_table.h"
#include "libmaps/debug_table.h"
#include "libmaps/environ_table.h"
#include "libmaps/fail_table.h"
#include "libmaps/index_table.h"
#include "libmaps/inline_table.h"
#include "libmaps/internal_table.h"
#include "libmaps/match_list.h"
#include "libmaps/memcache_table.h"
#include "libmaps/module.h"
#include "libmaps/pcre_table.h"
#include "libmaps/pipemap_table.h"
#include "libmaps/proxy_table.h"
#include "libmaps/randmap_table.h"
#include "libmaps/regexp_table.h"
#include "libmaps/reloading_table.h"
#include "libmaps/socketmap_table.h"
#include "libmaps/static_table.h"
#include "libmaps/tcp_table.h"
#include "libmaps/texthash_table.h"
#include "libmaps/unionmap_table.h"
#include "libmaps/unix_table.h"

namespace libmaps {
namespace {

using libconf::concat;

template <class Capability>
using Opener = Result<std::unique_ptr<Capability>> (*)(std::string_view name, const TableContext& context);

/// Makes an opener of what lists into one of what answers.
template <Opener<IterableTable> kOpen>
Result<std::unique_ptr<Table>> as_table(std::string_view name, const TableContext& context) {
  auto table = kOpen(name, context);
  if (!table) return table.error();
  return std::unique_ptr<Table>(std::move(*table));
}

/// The code behind a row of table_types(); null where the type cannot. A type that cannot even be opened here
/// is in a module.
struct TypeCode {
  std::string_view name;
  Opener<Table> open = nullptr;
  Opener<IterableTable> open_iterable = nullptr;
  Result<std::unique_ptr<WritableTable>> (*open_writable)(std::string_view name, IfAbsent if_absent,
                                                          const TableContext& context) = nullptr;
};

constexpr std::array kCode = {
    TypeCode{"btree", as_table<open_btree>, open_btree, open_writable_btree},
    TypeCode{"cdb", as_table<open_cdb>, open_cdb},
    TypeCode{"cidr", open_cidr},
    TypeCode{"debug", open_debug},
    TypeCode{"environ", open_environ},
    TypeCode{"fail", open_fail, open_iterable_fail, open_writable_fail},
    TypeCode{"hash", as_table<open_hash>, open_hash, open_writable_hash},
    TypeCode{"inline", as_table<open_inline>, open_inline},
    TypeCode{"internal", open_internal, open_iterable_internal, open_writable_internal},
    TypeCode{"ldap"},
    TypeCode{"lmdb", as_table<open_lmdb>, open_lmdb, open_writable_lmdb},
    TypeCode{"memcache", open_memcache, open_iterable_memcache, open_writable_memcache},
    TypeCode{"mongodb"},
    TypeCode{"mysql"},
    TypeCode{"nis"},
    TypeCode{"pcre", open_pcre},
    TypeCode{"pgsql"},
    TypeCode{"pipemap", open_pipemap},
    TypeCode{"proxy", open_proxy, open_iterable_proxy, open_writable_proxy},
    TypeCode{"randmap", open_randmap},
    TypeCode{"redis"},
    TypeCode{"regexp", open_regexp},
    TypeCode{"socketmap",
             [](std::string_view name, const TableContext& c) { return open_socketmap(name, c); }},
    TypeCode{"sqlite"},
    TypeCode{"static", open_static},
    TypeCode{"tcp", [](std::string_view name, const TableContext& c) { return open_tcp(name, c); }},
    TypeCode{"texthash", as_table<open_texthash>, open_texthash},
    TypeCode{"unionmap", open_unionmap},
    TypeCode{"unix", open_unix},
};
static_assert(std::is_sorted(kCode.begin(), kCode.end(),
                             [](const TypeCode& a, const TypeCode& b) { return a.name < b.name; }));

/// What is known about a type, and its code. REQUIRES of the registry: a row in both tables.
struct Known {
  const TableType& type;
  const TypeCode& code;

  bool is_in_module() const { return code.open == nullptr; }
  Result<std::unique_ptr<Table>> open(std::string_view name, const TableContext& context) const {
    return is_in_module() ? open_module_table(type.name, name, context) : code.open(name, context);
  }
};

Result<Known> find(TableSpec spec) {
  const TableType* type = find_table_type(spec.type);
  if (type == nullptr)
    return libconf::configuration_error(concat("unsupported dictionary type: ", spec.type));
  const auto* code =
      std::lower_bound(kCode.begin(), kCode.end(), spec.type,
                       [](const TypeCode& row, std::string_view name) { return row.name < name; });
  return Known{*type, *code};
}

/// What the `domain` setting of a database table means: a list of domains, files and tables.
Result<DomainPredicate> match_domains(std::string_view patterns, std::string_view place,
                                      const TableContext& context) {
  Result<MatchList> list = MatchList::parse(std::string(place), patterns, {.kind = MatchKind::kStrings},
                                            [&](std::string_view spec) { return open(spec, context); });
  if (!list) return list.error();
  const auto shared = std::make_shared<MatchList>(std::move(*list));
  return DomainPredicate([shared](std::string_view domain) { return shared->matches(domain); });
}

/// `context`, with what tables may ask of the registry.
TableContext complete(const TableContext& context) {
  TableContext completed = context;
  if (!completed.match_domains)
    completed.match_domains = [context](std::string_view patterns, std::string_view place) {
      return match_domains(patterns, place, context);
    };
  return completed;
}

/// The table without what is the same for all types.
Result<std::unique_ptr<Table>> open_as_it_is(const Known& known, TableSpec spec,
                                             const TableContext& context) {
  const TableMaker make = [known, name = std::string(spec.name), completed = complete(context)] {
    return known.open(name, completed);
  };
  if (!known.type.reads_file || spec.name.starts_with('{')) return make();
  return open_reloading(std::string(spec.name), make, context.warnings);
}

}  // namespace

Result<TableSpec> parse_spec(std::string_view text, std::string_view default_type) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos && !default_type.empty()) return TableSpec{default_type, text};
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
    return libconf::configuration_error(
        concat("open dictionary: expecting \"type:name\" form instead of \"", text, "\""));
  return TableSpec{text.substr(0, colon), text.substr(colon + 1)};
}

bool is_installed(const TableType& type) {
  const Result<Known> known = find({.type = type.name, .name = {}});
  return known && (!known->is_in_module() || find_module(type.name));
}

Result<std::unique_ptr<Table>> open(TableSpec spec, const TableContext& context) {
  const Result<Known> known = find(spec);
  if (!known) return known.error();
  auto table = open_as_it_is(*known, spec, context);
  if (!table) return table;
  return check_lookups(std::move(*table), known->type.keys, context);
}

Result<std::unique_ptr<Table>> open(std::string_view spec, const TableContext& context) {
  const Result<TableSpec> parsed = parse_spec(spec, "");
  if (!parsed) return parsed.error();
  return open(*parsed, context);
}

Result<std::unique_ptr<IterableTable>> open_iterable(TableSpec spec, const TableContext& context) {
  const Result<Known> known = find(spec);
  if (!known) return known.error();
  if (known->code.open_iterable == nullptr) {
    // What is wrong with the table itself is said first.
    if (const auto table = known->open(spec.name, complete(context)); !table) return table.error();
    return libconf::configuration_error(
        concat("table ", spec.type, ":", spec.name, ": sequence operation is not supported"));
  }
  auto table = known->code.open_iterable(spec.name, complete(context));
  if (!table) return table;
  return check_listing(std::move(*table), context);
}

Result<std::unique_ptr<WritableTable>> open_writable(TableSpec spec, IfAbsent if_absent,
                                                     const TableContext& context) {
  const Result<Known> known = find(spec);
  if (!known) return known.error();
  switch (known->type.changes) {
    case Changes::kReadOnly:
      return libconf::configuration_error(
          concat(spec.type, ":", spec.name, " map requires O_RDONLY access mode"));
    case Changes::kNoDelete:
      return libconf::configuration_error(
          concat("table ", spec.type, ":", spec.name, ": delete operation is not supported"));
    case Changes::kBulkOnly:
      return libconf::configuration_error("unsupported non-bulk change request");
    case Changes::kInPlace:
      break;
  }
  auto table = known->code.open_writable(spec.name, if_absent, complete(context));
  if (!table) return table;
  return check_changes(std::move(*table), context);
}

}  // namespace libmaps
