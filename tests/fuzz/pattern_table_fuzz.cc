// Pattern tables: the first byte chooses the type; then come rules, an empty line, and a key a line.
#include <algorithm>
#include <limits>
#include <string>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "libmaps/pattern_table.h"
#include "libmaps/pcre_table.h"
#include "libmaps/regexp_table.h"
#include "tests/fuzz/posix_cost.h"
#include "tests/fuzz/property.h"

namespace {

/// Counts, since a pattern that fails in a scan may be one that the index need not run.
class WarningCount final : public libconf::DiagnosticSink {
 public:
  void report(libconf::Diagnostic) override { ++count; }
  int count = 0;
};

/// Inline rules: a line each, those whose braces do not balance left out.
std::string as_inline(std::string_view lines) {
  std::string name = "{";
  while (!lines.empty()) {
    const std::string_view line = take_first_line(lines);
    int depth = 0;
    bool balanced = true;
    for (const char c : line) {
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      balanced = balanced && depth >= 0;
    }
    if (balanced && depth == 0) name += "{" + std::string(line) + "} ";
  }
  return name + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostBytes = 300;
  if (size == 0 || size > kMostBytes) return 0;
  const bool is_pcre = data[0] % 2 == 0;
  const std::string_view text = as_text(data + 1, size - 1);
  const std::size_t keys_at = std::min(text.find("\n\n"), text.size());
  if (!is_pcre && !is_cheap_for_posix(text)) return 0;
  const std::string name = as_inline(text.substr(0, keys_at));

  const auto make = is_pcre ? libmaps::make_pcre_engine : libmaps::make_regexp_engine;
  const libconf::Settings settings(nullptr, libconf::Host{});
  WarningCount plain_warnings;
  WarningCount indexed_warnings;
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  const auto plain =
      libmaps::open_pattern_table(make(), name, {settings, plain_warnings}, {.least_rules = kNever});
  const auto indexed = libmaps::open_pattern_table(make(), name, {settings, indexed_warnings},
                                                   {.least_rules = 1, .least_runs = 0});
  require(plain.has_value() == indexed.has_value(), "a table opens with and without an index");
  require(plain_warnings.count == indexed_warnings.count, "the same rules are warned of");
  if (!plain) return 0;
  for (std::string_view keys = text.substr(keys_at); !keys.empty();) {
    // AddressSanitizer looks for the NUL that a string has.
    const std::string key(take_first_line(keys));
    const int warned = plain_warnings.count;
    const auto expected = (*plain)->lookup(key);
    const auto actual = (*indexed)->lookup(key);
    require(expected && actual, "patterns cannot be unable to tell");
    require(plain_warnings.count > warned || *expected == *actual, "an index does not change answers");
  }
  return 0;
}
