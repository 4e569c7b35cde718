/// Files of test cases for tables: `postmap --test` (postmap(1), TEST FILES).
///
///     Result<std::vector<TableCase>> cases = parse_cases("lookup: virtual\nann@a.example = bob\n",
///     "a.test"); for (const TableCase& each : *cases) ask(each.key, each.keys);
///
/// All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/address_lookup.h"

namespace postmap {

/// What is asked for: the key as it stands, or the partial keys of one more kind of lookup.
struct CaseKeys {
  enum class Subject : std::uint8_t {
    kKey,      ///< As it stands.
    kAddress,  ///< A mail address, in the order of `kind`.
    kHost,     ///< A host name and its parents.
    kClient,   ///< A client's name, address, or both as `name[address]`.
  };
  std::string_view name;  ///< In the file: "virtual".
  Subject subject;
  libmaps::LookupKind kind;  ///< Of kAddress; for the others kAccess, whose rules they follow.
};

/// The row of that name, or null.
const CaseKeys* find_case_keys(std::string_view name);

/// What a lookup gave, or should give.
struct CaseResult {
  enum class Kind : std::uint8_t { kValue, kNotFound, kError };
  Kind kind = Kind::kNotFound;
  std::string text = {};  ///< The value; the message of an error; of an expected one, a part of it.
};

/// One case.
struct TableCase {
  std::string file;
  int line = 0;
  std::string tables;  ///< What `table:` says ahead of it, not expanded; empty: nothing.
  const CaseKeys* keys = nullptr;
  std::string key;
  std::optional<std::string> via;  ///< The partial key that must match.
  CaseResult expected;
};

/// The cases of a file; `file` names it in messages. Errors: kSyntax, "FILE:LINE: REASON", for the first line
/// that cannot be read.
libconf::Result<std::vector<TableCase>> parse_cases(std::string_view text, std::string_view file);

/// Whether a lookup gave what was expected.
bool is_as_expected(const CaseResult& expected, const CaseResult& actual);

/// "= VALUE", "not found", "error TEXT": as in the file.
std::string to_string(const CaseResult& result);

/// The case on one line, as it may stand in a file behind `lookup: exact`.
std::string to_string(const TableCase& each);

}  // namespace postmap
