#include "libmaps/pattern_rules.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "libconf/text.h"
#include "libmaps/file_value.h"

namespace libmaps {
namespace {

using libconf::concat;
using libconf::is_space;

bool is_alphanumeric(char c) { return libconf::is_name_char(c) && c != '_'; }

class RuleReader {
 public:
  RuleReader(std::string_view name, PatternEngine& engine, libconf::DiagnosticSink& warnings,
             const TableOptions& options)
      : name_(name), engine_(engine), dialect_(engine.dialect()), warnings_(warnings), options_(options) {}

  void read(const SourceLine& line);
  PatternRules finish();

 private:
  RulePlace place(int line) const { return {dialect_.type, name_, line}; }
  void warn(std::string_view what) { warnings_.warn("pattern-rule", place(line_).says(what)); }

  void read_match(std::string_view text);
  void read_if(std::string_view rest);
  void read_endif(std::string_view rest);

  std::optional<PatternRule> take_pattern(std::string_view& rest);
  bool take_flags(std::string_view& rest, PatternRule& rule);
  bool take_result(std::string_view text, PatternRule& rule);
  std::optional<std::size_t> group_count(PatternRule& rule);
  std::string_view keep(std::string_view text);

  std::string_view name_;
  PatternEngine& engine_;
  const PatternDialect& dialect_;
  libconf::DiagnosticSink& warnings_;
  const TableOptions& options_;
  int line_ = 0;
  std::vector<std::uint32_t> open_blocks_;
  PatternRules out_;
};

void RuleReader::read(const SourceLine& line) {
  struct Keyword {
    std::string_view word;
    void (RuleReader::*read)(std::string_view rest);
  };
  static constexpr Keyword kKeywords[] = {{"if", &RuleReader::read_if}, {"endif", &RuleReader::read_endif}};

  line_ = line.first;
  const std::string_view text = libconf::trim(line.text);
  const auto word_end = std::find_if_not(text.begin(), text.end(), is_alphanumeric);
  const auto length = static_cast<std::size_t>(word_end - text.begin());
  if (length == 0) return read_match(text);
  for (const Keyword& keyword : kKeywords) {
    if (libconf::equals_ignoring_case(text.substr(0, length), keyword.word))
      return (this->*keyword.read)(text.substr(length));
  }
  warn("ignoring unrecognized request");
}

void RuleReader::read_match(std::string_view text) {
  std::string_view rest = text;
  std::optional<PatternRule> rule = take_pattern(rest);
  if (!rule) return;
  // An exception reads, and works, as an IF about this rule alone.
  std::optional<PatternRule> exception;
  if (dialect_.has_exceptions && rest.starts_with('!')) {
    exception = take_pattern(rest);
    if (!exception) return;
  }
  rest = libconf::trim_left(rest);
  if (rest.empty()) warn("no replacement text: using empty string");
  libconf::Result<std::string> loaded;
  if (options_.load_files) {
    loaded = encode_files(rest);
    if (!loaded) return warn(concat(loaded.error().message, ": skipping this rule"));
    rest = *loaded;
  }

  rule->first_piece = static_cast<std::uint32_t>(out_.pieces.size());
  if (!take_result(rest, *rule) || (exception && !group_count(*exception))) {
    out_.pieces.resize(rule->first_piece);
    return;
  }
  rule->piece_count = static_cast<std::uint32_t>(out_.pieces.size()) - rule->first_piece;
  if (exception) {
    rule->block = static_cast<std::uint32_t>(out_.rules.size());
    exception->is_if = true;
    exception->block_end = rule->block + 2;
    out_.rules.push_back(*std::move(exception));
  }
  out_.rules.push_back(*std::move(rule));
}

/// Appends the result's pieces, and holds them against the rule's pattern. Returns false after a warning.
bool RuleReader::take_result(std::string_view text, PatternRule& rule) {
  std::size_t highest = 0;
  if (!parse_result(keep(text), place(line_), dialect_, warnings_, out_.pieces, highest)) return false;
  if (options_.forbid_substitution && highest > 0) {
    warn("regular expression substitution is not allowed: skipping this rule");
    return false;
  }
  if (rule.negated && highest > 0) {
    warn("$number found in negative match replacement text: skipping this rule");
    return false;
  }
  rule.highest_group = static_cast<std::uint32_t>(highest);
  const auto groups = group_count(rule);
  if (!groups) return false;
  if (highest <= *groups) return true;
  // Postfix prints the number as an int.
  warn(concat("out of range replacement index \"", std::to_string(static_cast<std::int32_t>(highest)),
              "\": skipping this rule"));
  return false;
}

void RuleReader::read_if(std::string_view rest) {
  std::optional<PatternRule> rule = take_pattern(rest);
  if (!rule) return;
  rest = libconf::trim_left(rest);
  if (!rest.empty()) {
    warn(concat("ignoring extra text after IF statement: \"", rest, "\""));
    warn("do not prepend whitespace to statements between IF and ENDIF");
  }
  if (!group_count(*rule)) return;
  rule->is_if = true;
  out_.rules.push_back(*std::move(rule));
  open_blocks_.push_back(static_cast<std::uint32_t>(out_.rules.size() - 1));
}

void RuleReader::read_endif(std::string_view rest) {
  if (open_blocks_.empty()) return warn("ignoring ENDIF without matching IF");
  if (!rest.empty()) warn("ignoring extra text after ENDIF");
  out_.rules[open_blocks_.back()].block_end = static_cast<std::uint32_t>(out_.rules.size());
  open_blocks_.pop_back();
}

PatternRules RuleReader::finish() {
  for (; !open_blocks_.empty(); open_blocks_.pop_back()) {
    PatternRule& rule = out_.rules[open_blocks_.back()];
    rule.block_end = static_cast<std::uint32_t>(out_.rules.size());
    line_ = rule.line;
    warn("IF has no matching ENDIF");
  }
  return std::move(out_);
}

/// Takes `[!]/pattern/flags` off the front of `rest`. Any number of '!' may come first; each negates.
std::optional<PatternRule> RuleReader::take_pattern(std::string_view& rest) {
  PatternRule rule;
  rule.line = line_;
  rule.options = dialect_.default_options;
  rule.block = open_blocks_.empty() ? kNoRule : open_blocks_.back();
  for (; !rest.empty() && (is_space(rest[0]) || rest[0] == '!'); rest.remove_prefix(1))
    rule.negated ^= rest[0] == '!';
  if (rest.empty()) {
    warn("no regexp: skipping this rule");
    return std::nullopt;
  }
  const char delimiter = rest[0];
  std::size_t end = 1;
  // A backslash takes the next character along, whatever the delimiter is.
  while (end < rest.size() && (rest[end] == '\\' || rest[end] != delimiter)) end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size()) {
    warn(
        concat("no closing regexp delimiter \"", std::string_view(&delimiter, 1), "\": ", dialect_.unclosed));
    return std::nullopt;
  }
  rule.pattern = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  if (!take_flags(rest, rule)) return std::nullopt;
  return rule;
}

bool RuleReader::take_flags(std::string_view& rest, PatternRule& rule) {
  const auto is_end = [this](char c) { return is_space(c) || (dialect_.has_exceptions && c == '!'); };
  for (; !rest.empty() && !is_end(rest[0]); rest.remove_prefix(1)) {
    const auto flag = std::ranges::find(dialect_.flags, rest[0], &PatternFlag::letter);
    if (flag == dialect_.flags.end()) {
      warn(concat("unknown regexp option \"", rest.substr(0, 1), "\": skipping this rule"));
      return false;
    }
    if (flag->option == 0) warn(concat("ignoring obsolete regexp option \"", rest.substr(0, 1), "\""));
    rule.options ^= flag->option;
  }
  return true;
}

/// How many groups the rule's pattern has; nothing, after a warning, when it is none. Compiles it unless it
/// is known to compile: most patterns of a large table are never run.
std::optional<std::size_t> RuleReader::group_count(PatternRule& rule) {
  rule.pattern = keep(rule.pattern);
  const auto facts = engine_.examine(rule.pattern, rule.options, nullptr);
  if (facts && facts->is_certain) return facts->group_count;
  auto compiled = engine_.compile(rule.pattern, rule.options, rule.highest_group > 0);
  if (!compiled) {
    warn(compiled.error().message);
    return std::nullopt;
  }
  rule.compiled = *std::move(compiled);
  return rule.compiled->group_count();
}

std::string_view RuleReader::keep(std::string_view text) {
  if (text.empty()) return {};
  auto* copy = static_cast<char*>(out_.text->allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

}  // namespace

PatternRules read_pattern_rules(SourceReader& source, PatternEngine& engine,
                                libconf::DiagnosticSink& warnings, const TableOptions& options) {
  RuleReader reader(source.name(), engine, warnings, options);
  while (const std::optional<SourceLine> line = source.next()) {
    if (line->is_orphan()) {
      warnings.warn("source-orphan", source.orphan_message(*line));
    } else if (!line->text.empty()) {
      reader.read(*line);
    }
  }
  return reader.finish();
}

}  // namespace libmaps
