/// The lookup tables of an audited configuration, read on this machine without asking any server.
///
///     auto table = site.tables().open("hash", "/etc/postfix/virtual");
///     if (table && *table) (*table)->lookup("user@example.com");
///
/// A table with an index is read from its source where that is there: a repository has no indexes. What only
/// a server could answer (mysql, ldap, proxy, ...) cannot be opened.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/table.h"
#include "tools/postlint/file_map.h"

namespace postlint {

/// An entry of a table's source. The texts live as long as the store.
struct TableEntry {
  std::string_view key;  ///< As the index would have it.
  std::string_view value;
  int line = 0;
};

/// A rule of a regexp or pcre table.
struct PatternLine {
  std::string pattern;  ///< "/^x/i", as it is written.
  std::string result;
  int line = 0;
};

/// Not thread-safe. File map and settings must outlive it.
class TableStore {
 public:
  TableStore(const FileMap& files, const libconf::Settings& settings);
  ~TableStore();

  /// The `type:name` that has the same answers on this machine; nothing: nobody here can tell.
  std::optional<std::string> spec(std::string_view type, std::string_view name) const;

  /// Nothing: nobody here can tell. Errors: as libmaps::open().
  libconf::Result<std::unique_ptr<libmaps::Table>> open(std::string_view type, std::string_view name) const;

  /// The source of a table with an index, or of a texthash; empty when it is not here. It is read once.
  /// `is_alias`: the format of aliases(5).
  std::span<const TableEntry> entries(std::string_view type, std::string_view name,
                                      bool is_alias = false) const;

  /// The rules of a regexp or pcre table, but for IF and ENDIF; empty when it is not here.
  std::vector<PatternLine> pattern_lines(std::string_view type, std::string_view name) const;

  /// `value`, expanded, with every table in it replaced by spec(), or by one without entries; without
  /// `proxy:`.
  std::string localized(std::string_view value) const;

  const FileMap& files() const { return files_; }

 private:
  const FileMap& files_;
  const libconf::Settings& settings_;
  mutable libconf::DiagnosticDiscard discard_;  ///< The tables keep it.
  struct Source;
  mutable std::map<std::string, std::unique_ptr<Source>, std::less<>> sources_;  ///< By format and path.
};

/// Whether tables of the type are told from a file on the host: hash, cidr, pcre and so on.
bool is_file_type(std::string_view type);

}  // namespace postlint
