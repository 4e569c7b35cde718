/// One SQL statement that asks for several keys, with the keys as its parameters: the server reads it once,
/// and plans, sends and wakes its client once for many keys.
///
///     const auto select = JoinableSelect::parse("SELECT target FROM aliases WHERE name = '%s'");
///     if (select) connection.prepareStatement(select->join(32, 1));
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libmaps {

/// A query that gives the same rows as a branch of a UNION ALL as it does alone. Immutable; thread-safe.
class JoinableSelect {
 public:
  /// Reads a template (mysql_table(5), `query`). Nothing: it is not known to give the same rows. It must be a
  /// single SELECT whose key is inside of '' quotes after FROM, and that has nothing of what a branch takes a
  /// different meaning from (ORDER, GROUP), or what is for the server to do rather than to find (INTO, FOR
  /// UPDATE, variables, functions other than well-known ones). The text is understood the same way with any
  /// sql_mode. Where a parameter cannot stand for a text (N'%s'), the server refuses the joined statement.
  /// The rows are the same if all columns are texts or integers.
  static std::optional<JoinableSelect> parse(std::string_view query);

  /// The templates of the parameters of one branch, in their order: "%s". Their expansions stand for
  /// themselves, without quotes.
  const std::vector<std::string>& parameters() const { return parameters_; }

  /// "(SELECT 0, target FROM aliases WHERE name = ?) UNION ALL (SELECT 1,NULL)", for one branch. The first
  /// column of a row is the number of its branch, from 0; the last row has the number of branches there, and
  /// NULL in the `columns` columns that the query gives. Without that row, the result is not complete.
  std::string join(std::size_t branches, std::size_t columns) const;

 private:
  friend class SelectReader;
  std::string rest_;  ///< What follows SELECT, with a ? for each parameter.
  std::vector<std::string> parameters_;
};

}  // namespace libmaps
