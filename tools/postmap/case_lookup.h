/// Asks tables for the keys of test cases.
///
///     CaseLookup lookup(session);
///     CaseAnswer answer = lookup.ask(each, "hash:virtual, regexp:virtual.re");
///     if (!is_as_expected(each.expected, answer.result)) ...
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmaps/address_lookup.h"
#include "libmaps/table.h"
#include "tools/postmap/session.h"
#include "tools/postmap/table_cases.h"

namespace postmap {

/// What a lookup gave, and where.
struct CaseAnswer {
  CaseResult result;
  std::string key = {};    ///< The key that matched: the whole one, or a partial one.
  std::string table = {};  ///< The table that has it.
};

/// Opens each table once for each kind of lookup. The session must outlive it. Not thread-safe, as tables are
/// not.
class CaseLookup {
 public:
  explicit CaseLookup(const Session& session) : session_(session) {}

  /// Asks `tables`, a list of [type:]name, for the keys of a case. A table that cannot be opened or asked is
  /// an answer, too: an error.
  CaseAnswer ask(const TableCase& each, std::string_view tables);

 private:
  using Match = std::optional<libmaps::AddressMatch>;
  struct Opened {
    std::vector<std::unique_ptr<libmaps::Table>> tables;  ///< To be asked for whole keys,
    std::unique_ptr<libmaps::AddressLookup> lookup;       ///< or for partial ones.
    std::optional<libconf::Error> error;                  ///< They cannot be opened.
  };

  Opened& open(const CaseKeys& keys, std::string_view tables);
  libconf::Result<void> open(const CaseKeys& keys, std::string_view tables, Opened& opened);
  libconf::Result<Match> find(const TableCase& each, const Opened& opened);

  const Session& session_;
  std::map<std::pair<std::string_view, std::string>, Opened> opened_;  ///< By kind of keys, and tables.
};

}  // namespace postmap
