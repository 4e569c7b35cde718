// What patterns need: the first byte chooses the syntax; then come a pattern, a line, and a subject a line.
#include <algorithm>
#include <string>

#include "libmaps/pcre_table.h"
#include "libmaps/regexp_table.h"
#include "tests/fuzz/posix_cost.h"
#include "tests/fuzz/property.h"

namespace {

struct Syntax {
  std::unique_ptr<libmaps::PatternEngine> (*make)();
  bool toggles_extended;
};

constexpr Syntax kSyntaxes[] = {{libmaps::make_pcre_engine, false},
                                {libmaps::make_regexp_engine, false},
                                {libmaps::make_regexp_engine, true}};

std::uint32_t options_of(const libmaps::PatternDialect& dialect, bool toggles_extended) {
  std::uint32_t options = dialect.default_options;
  for (const libmaps::PatternFlag& flag : dialect.flags)
    if (toggles_extended && flag.letter == 'x') options ^= flag.option;
  return options;
}

bool has_one_of(std::string subject, const libmaps::Literals& literals) {
  std::ranges::transform(subject, subject.begin(), libmaps::fold_case);
  return std::ranges::any_of(
      literals, [&](const std::string& text) { return subject.find(text) != std::string::npos; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostBytes = 200;
  if (size == 0 || size > kMostBytes) return 0;
  const Syntax& syntax = kSyntaxes[data[0] % std::size(kSyntaxes)];
  std::string_view text = as_text(data + 1, size - 1);
  const std::string_view pattern = take_first_line(text);
  if (pattern.find('\0') != std::string_view::npos) return 0;

  if (syntax.make == libmaps::make_regexp_engine && !is_cheap_for_posix(pattern)) return 0;
  const auto engine = syntax.make();
  const std::uint32_t options = options_of(engine->dialect(), syntax.toggles_extended);
  libmaps::LiteralChoices literals;
  const auto facts = engine->examine(pattern, options, &literals);
  const auto without_literals = engine->examine(pattern, options, nullptr);
  require(facts.has_value() == without_literals.has_value(), "literals do not change what is understood");
  if (!facts) require(literals.empty(), "a pattern that is not understood needs nothing");
  const auto compiled = engine->compile(pattern, options, false);
  if (facts && facts->is_certain) require(compiled.has_value(), "what is certain compiles");
  if (!facts || !compiled) return 0;
  require((*compiled)->group_count() == facts->group_count, "groups are counted as the engine counts them");
  libmaps::Captures none;
  while (!text.empty()) {
    const std::string subject(take_first_line(text));
    const auto matched = (*compiled)->match(subject, none);
    if (!matched || !*matched) continue;
    for (const libmaps::Literals& choice : literals)
      require(has_one_of(subject, choice), "what matches has what the pattern needs");
  }
  return 0;
}
