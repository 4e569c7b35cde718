#include "libmaps/pattern_table.h"

#include <string>
#include <utility>

#include "libconf/text.h"
#include "libmaps/pattern_rules.h"
#include "libmaps/source_reader.h"

namespace libmaps {
namespace {

Result<SourceReader> open_source(std::string_view type, std::string_view name) {
  if (!name.starts_with('{')) return SourceReader::open_file(std::string(name));
  Result<std::string> rules = inline_rules(type, name);
  if (!rules) return rules.error();
  return SourceReader::from_text(std::string(name), *std::move(rules));
}

class PatternTable final : public Table {
 public:
  PatternTable(std::unique_ptr<PatternEngine> engine, SourceReader& source, const TableContext& context)
      : Table(libconf::concat(engine->dialect().type, ":", source.name())),
        engine_(std::move(engine)),
        source_name_(source.name()),
        warnings_(context.warnings),
        rules_(read_pattern_rules(source, *engine_, warnings_)) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override;

 private:
  bool applies(PatternRule& rule, std::string_view key);

  std::unique_ptr<PatternEngine> engine_;
  std::string source_name_;
  libconf::DiagnosticSink& warnings_;
  PatternRules rules_;
  Captures captures_;
};

Result<std::optional<std::string>> PatternTable::lookup(std::string_view key) {
  std::size_t next = 0;
  while (next < rules_.rules.size()) {
    PatternRule& rule = rules_.rules[next];
    const bool applies_here = applies(rule, key);
    if (applies_here && !rule.is_if) return std::optional(expand_result(rules_.result_of(rule), captures_));
    next = rule.is_if && !applies_here ? rule.block_end : next + 1;
  }
  return std::optional<std::string>();
}

/// A pattern that could not be matched to its end does not apply, negated or not.
bool PatternTable::applies(PatternRule& rule, std::string_view key) {
  captures_.assign(rule.highest_group, {});
  const Result<bool> matched = rule.compiled->match(key, captures_);
  if (matched) return *matched != rule.negated;
  const RulePlace place{engine_->dialect().type, source_name_, rule.line};
  warnings_.warn("pattern-match", place.says(matched.error().message));
  return false;
}

}  // namespace

Result<std::unique_ptr<Table>> open_pattern_table(std::unique_ptr<PatternEngine> engine,
                                                  std::string_view name, const TableContext& context) {
  Result<SourceReader> source = open_source(engine->dialect().type, name);
  if (!source) return source.error();
  return std::make_unique<PatternTable>(std::move(engine), *source, context);
}

}  // namespace libmaps
