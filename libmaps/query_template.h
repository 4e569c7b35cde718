/// Templates with parts of a key or a result in them, as sqlite, mysql, pgsql, ldap and memcache tables have
/// them: `SELECT v FROM t WHERE k = '%s'` (sqlite_table(5), `query` and `result_format`).
///
///     auto rules = QueryRules::read(config, "sqlite", query, table_name, context);
///     if (Result<bool> accepted = rules->accepts(key); !accepted || !*accepted) ...
///     std::string sql = rules->query_for(key, quote);
///     ResultList results(*rules, key);
///     if (!results.add("joe@example.com")) ...   // more than expansion_limit
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/table_config.h"
#include "libmaps/table_context.h"

namespace libmaps {

/// A text and, when it is an address, its parts. Views point into the text.
class QueryAddress {
 public:
  explicit QueryAddress(std::string_view text);

  std::string_view whole() const { return whole_; }
  /// What is before the last '@'; all of a text without one.
  std::string_view local_part() const { return local_part_; }
  /// What follows the last '@'; empty without one.
  std::string_view domain() const { return domain_; }
  /// Of the domain "mail.example.com", 1 is "com" and 3 is "mail". Empty where there are not that many.
  std::string_view label(unsigned number) const;

 private:
  std::string_view whole_;
  std::string_view local_part_;
  std::string_view domain_;
};

/// Appends `text` to `out` so that it stands for itself there, and breaks out of nothing.
using Quote = std::function<void(std::string_view text, std::string& out)>;

/// One template, parsed. Immutable; thread-safe.
class QueryTemplate {
 public:
  /// In a query %s %u %d are parts of the key, as %S %U %D are; in the format of a result, parts of the
  /// result.
  enum class Role : std::uint8_t { kQuery, kResult };

  /// Nothing: a '%' is followed by something other than one of %sudSUD1-9.
  static std::optional<QueryTemplate> parse(std::string_view text, Role role);

  /// Whether it is the same text for every key.
  bool is_constant() const { return pieces_.size() == 1; }

  /// False when a part of the key that the template needs is missing or empty.
  bool accepts_key(const QueryAddress& key) const;

  /// Appends the template to `out`. False when a part is missing or empty: then there is no result, and `out`
  /// has an undefined end. An empty `quote` adds parts as they are. A query has no result to give: `result`
  /// is not looked at.
  bool expand(const QueryAddress& key, const QueryAddress& result, const Quote& quote,
              std::string& out) const;

 private:
  /// Literal text, and the conversion after it; 0 at the end.
  struct Piece {
    std::string literal;
    char conversion = 0;
  };
  std::vector<Piece> pieces_;
};

/// Which keys are asked for, and as what: a query's template and the setting `domain`.
class QueryKeys {
 public:
  /// `config` is for messages. Errors: kConfiguration, "db_common_parse: ./q.cf: Invalid query template:
  /// ...".
  static libconf::Result<QueryKeys> parse(const TableConfig& config,
                                          std::span<const std::string_view> queries);

  /// Reads the setting. Errors: from context.match_domains.
  libconf::Result<void> read_domains(const TableConfig& config, const TableContext& context);

  /// False when `key` is not to be looked up: it is empty, lacks a part that a template needs, or its
  /// domain is not in the list. Errors: from the domain list, with the reason alone.
  libconf::Result<bool> accepts(std::string_view key) const;

  bool is_limited_to_domains() const { return static_cast<bool>(is_in_domains_); }

  /// The query for a key; of several, that of the template number `which`. REQUIRES: accepts(key).
  std::string query_for(std::string_view key, const Quote& quote, std::size_t which = 0) const;

  /// Whether that query is the same for every key.
  bool is_constant(std::size_t which) const { return queries_[which].is_constant(); }

 private:
  std::vector<QueryTemplate> queries_;
  DomainPredicate is_in_domains_;  ///< Empty: any domain, and keys without one.
};

/// What the settings query, result_format, expansion_limit and domain ask for.
class QueryRules {
 public:
  /// Reads the settings other than the query, which differs among types: `query` is its template. `type`
  /// ("sqlite") and `table` ("sqlite:./q.cf") are for messages; the sink must outlive the rules. Errors:
  /// kConfiguration, such as "db_common_parse: ./q.cf: Invalid query template: ..."; from
  /// context.match_domains.
  static libconf::Result<QueryRules> read(const TableConfig& config, std::string_view type,
                                          std::string_view query, std::string_view table,
                                          const TableContext& context);

  /// The same for a type that has several query templates, or settings with other names: they are given, and
  /// there is no expansion_limit until set_expansion_limit().
  static libconf::Result<QueryRules> make(const TableConfig& config, std::string_view type,
                                          std::span<const std::string_view> queries,
                                          std::string_view result_format, std::string_view table,
                                          const TableContext& context);

  /// How many results a lookup may have; not positive: any number.
  void set_expansion_limit(std::int64_t limit) { expansion_limit_ = limit; }

  /// As QueryKeys::accepts(), for the template of results, too; a key that is empty gives a warning.
  libconf::Result<bool> accepts(std::string_view key) const;

  /// As those of QueryKeys.
  std::string query_for(std::string_view key, const Quote& quote, std::size_t which = 0) const {
    return keys_.query_for(key, quote, which);
  }
  bool is_constant(std::size_t which) const { return keys_.is_constant(which); }

 private:
  friend class ResultList;
  QueryRules(QueryKeys keys, QueryTemplate result, const TableContext& context)
      : keys_(std::move(keys)), result_(std::move(result)), warnings_(&context.warnings) {}

  QueryKeys keys_;
  QueryTemplate result_;
  std::int64_t expansion_limit_ = 0;  ///< None when it is not positive.
  libconf::DiagnosticSink* warnings_;
  std::string type_;
  std::string config_name_;
  std::string table_;
};

/// Collects the values that a query found. `rules` and `key` must outlive it.
class ResultList {
 public:
  ResultList(const QueryRules& rules, std::string_view key) : rules_(rules), key_(key) {}

  /// Adds a value in its result_format; passes over one that is empty (with a warning) or lacks a part that
  /// the format needs. False, after a warning, when the list is longer than expansion_limit: the lookup
  /// fails, with a temporary error.
  bool add(std::string_view value);

  /// The same without a warning of the limit, for a type that words it in its own way.
  bool append(std::string_view value);

  /// The values, separated by commas; nothing when there were none. Leaves the list empty.
  std::optional<std::string> take();

 private:
  const QueryRules& rules_;
  QueryAddress key_;
  std::string text_;
  std::int64_t count_ = 0;
};

}  // namespace libmaps
