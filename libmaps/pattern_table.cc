#include "libmaps/pattern_table.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libconf/text.h"
#include "libmaps/literal_index.h"
#include "libmaps/pattern_rules.h"
#include "libmaps/source_reader.h"

namespace libmaps {
namespace {

/// What a search with the index knows of a rule; lookups are numbered from 1.
struct RuleState {
  bool needs_literal = false;    ///< The index has the literals without which its pattern does not match.
  bool is_inside = false;        ///< An IF's: the key belongs to its block.
  std::uint64_t if_decided = 0;  ///< The last lookup that set is_inside.
};

class PatternTable final : public Table {
 public:
  PatternTable(std::unique_ptr<PatternEngine> engine, SourceReader& source, const TableContext& context,
               PatternIndexing indexing)
      : Table(libconf::concat(engine->dialect().type, ":", source.name())),
        engine_(std::move(engine)),
        source_name_(source.name()),
        warnings_(context.warnings),
        rules_(read_pattern_rules(source, *engine_, warnings_, context.options)),
        indexing_(indexing) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override {
    ++lookups_;
    const PatternRule* rule = wants_index() ? search_index(key) : search_rules(key);
    if (rule == nullptr) return std::optional<std::string>();
    return std::optional(expand_result(rules_.result_of(*rule), captures_));
  }

 private:
  bool wants_index() const {
    return rules_.rules.size() >= indexing_.least_rules &&
           rules_.rules.size() * lookups_ >= indexing_.least_runs;
  }
  const PatternRule* search_rules(std::string_view key);
  const PatternRule* search_index(std::string_view key);
  void build_index();
  bool is_inside(std::uint32_t block, std::string_view key);
  bool applies_indexed(std::uint32_t number, std::string_view key);
  bool applies(PatternRule& rule, std::string_view key);
  Result<bool> matches(PatternRule& rule, std::string_view key);

  std::unique_ptr<PatternEngine> engine_;
  std::string source_name_;
  libconf::DiagnosticSink& warnings_;
  PatternRules rules_;
  Captures captures_;

  PatternIndexing indexing_;
  std::uint64_t lookups_ = 0;
  LiteralIndex index_;
  std::vector<RuleState> states_;
  std::vector<std::uint32_t> always_;      ///< Rules to be tried whatever literals a key has.
  std::vector<std::uint32_t> candidates_;  ///< Rules whose literal the key has.
  std::vector<std::uint32_t> undecided_;
};

/// The first rule that applies, or null.
const PatternRule* PatternTable::search_rules(std::string_view key) {
  std::size_t next = 0;
  while (next < rules_.rules.size()) {
    PatternRule& rule = rules_.rules[next];
    const bool applies_here = applies(rule, key);
    if (applies_here && !rule.is_if) return &rule;
    next = rule.is_if && !applies_here ? rule.block_end : next + 1;
  }
  return nullptr;
}

/// The same, passing over what the literals in `key` rule out.
const PatternRule* PatternTable::search_index(std::string_view key) {
  if (states_.empty()) build_index();
  index_.find(key, candidates_);
  auto candidate = candidates_.begin();
  auto always = always_.begin();
  for (;;) {
    const std::uint32_t number = std::min(candidate == candidates_.end() ? kNoRule : *candidate,
                                          always == always_.end() ? kNoRule : *always);
    if (number == kNoRule) return nullptr;
    if (candidate != candidates_.end() && *candidate == number) ++candidate;
    if (always != always_.end() && *always == number) ++always;
    const PatternRule& rule = rules_.rules[number];
    if (!rule.is_if && is_inside(rule.block, key) && applies_indexed(number, key)) return &rule;
  }
}

void PatternTable::build_index() {
  states_.resize(rules_.rules.size());
  LiteralIndex::Builder builder;
  LiteralChoices literals;
  for (std::uint32_t number = 0; number < rules_.rules.size(); ++number) {
    const PatternRule& rule = rules_.rules[number];
    const bool is_understood = engine_->examine(rule.pattern, rule.options, &literals).has_value();
    RuleState& state = states_[number];
    state.needs_literal = is_understood && !literals.empty() && builder.add(number, literals);
    // An IF is decided when something inside it is tried.
    if (!rule.is_if && (rule.negated || !state.needs_literal)) always_.push_back(number);
  }
  index_ = std::move(builder).build();
}

/// Whether the IF `block` and all around it apply. Each is decided once a lookup, from the outermost.
bool PatternTable::is_inside(std::uint32_t block, std::string_view key) {
  undecided_.clear();
  while (block != kNoRule && states_[block].if_decided != lookups_) {
    undecided_.push_back(block);
    block = rules_.rules[block].block;
  }
  bool inside = block == kNoRule || states_[block].is_inside;
  for (; !undecided_.empty(); undecided_.pop_back()) {
    const std::uint32_t number = undecided_.back();
    inside = inside && applies_indexed(number, key);
    states_[number].is_inside = inside;
    states_[number].if_decided = lookups_;
  }
  return inside;
}

bool PatternTable::applies_indexed(std::uint32_t number, std::string_view key) {
  PatternRule& rule = rules_.rules[number];
  if (states_[number].needs_literal && !index_.has_found(number)) return rule.negated;
  return applies(rule, key);
}

/// A pattern that could not be matched to its end does not apply, negated or not.
bool PatternTable::applies(PatternRule& rule, std::string_view key) {
  captures_.assign(rule.highest_group, {});
  const Result<bool> matched = matches(rule, key);
  if (matched) return *matched != rule.negated;
  const RulePlace place{engine_->dialect().type, source_name_, rule.line};
  warnings_.warn("pattern-match", place.says(matched.error().message));
  return false;
}

Result<bool> PatternTable::matches(PatternRule& rule, std::string_view key) {
  if (rule.compiled == nullptr) {
    auto compiled = engine_->compile(rule.pattern, rule.options, rule.highest_group > 0);
    if (!compiled) return compiled.error();
    rule.compiled = *std::move(compiled);
  }
  return rule.compiled->match(key, captures_);
}

}  // namespace

Result<std::unique_ptr<Table>> open_pattern_table(std::unique_ptr<PatternEngine> engine,
                                                  std::string_view name, const TableContext& context,
                                                  PatternIndexing indexing) {
  Result<SourceReader> source = SourceReader::open_rules(engine->dialect().type, name);
  if (!source) return source.error();
  return std::make_unique<PatternTable>(std::move(engine), *source, context, indexing);
}

}  // namespace libmaps
