/// What differs between `pcre:` and `regexp:` tables: the words, the flags, and who compiles and matches.
///
/// Engines and their patterns are not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/required_literal.h"

namespace libmaps {

/// A letter after a pattern, which toggles `option`. A letter without an option is obsolete: it is accepted
/// with a warning.
struct PatternFlag {
  char letter;
  std::uint32_t option;
};

/// How a type writes its rules, and its warnings.
struct PatternDialect {
  std::string_view type;          ///< "pcre"
  std::uint32_t default_options;  ///< Before the flags of a rule toggle them.
  std::span<const PatternFlag> flags;
  std::string_view unclosed;  ///< What becomes of a rule without a closing delimiter: "ignoring this rule".
  std::string_view out_of_range;  ///< What $0 is.
  bool has_exceptions;  ///< `/pattern/!/exception/ result` applies where the one matches and not the other.
};

/// What the groups of a pattern matched, $1 at [0]; views into the subject, empty for a group without a part
/// in the match.
using Captures = std::vector<std::string_view>;

class CompiledPattern {
 public:
  virtual ~CompiledPattern() = default;

  virtual std::size_t group_count() const = 0;

  /// Whether the pattern matches anywhere in `subject`; sets all of `captures` then, whose size says how many
  /// groups are asked for. An error's message is the engine's reason alone: "match limit exceeded".
  virtual libconf::Result<bool> match(std::string_view subject, Captures& captures) = 0;
};

class PatternEngine {
 public:
  virtual ~PatternEngine() = default;

  virtual const PatternDialect& dialect() const = 0;

  /// What is known of `pattern` without compiling it, which takes much longer; see examine_pattern().
  virtual std::optional<PatternFacts> examine(std::string_view pattern, std::uint32_t options,
                                              LiteralChoices* literals) const = 0;

  /// Compiles `pattern`, which has no NUL; `options` are the dialect's. The engine must outlive the result.
  /// match() will be asked for groups only if `captures` is set. An error's message is the engine's reason
  /// alone.
  virtual libconf::Result<std::unique_ptr<CompiledPattern>> compile(std::string_view pattern,
                                                                    std::uint32_t options, bool captures) = 0;
};

}  // namespace libmaps
