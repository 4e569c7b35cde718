// pcre: and regexp: tables.
#include <algorithm>
#include <charconv>
#include <random>
#include <set>
#include <tuple>

#include "libconf/text.h"
#include "libmaps/pattern_rules.h"
#include "libmaps/pcre_lexer.h"
#include "libmaps/pcre_table.h"
#include "libmaps/posix_lexer.h"
#include "libmaps/regexp_table.h"
#include "tools/postlint/pattern_sample.h"
#include "tools/postlint/table_scan.h"

namespace postlint {
namespace {

using libconf::concat;
using libmaps::PatternRule;

/// Comparing each pattern with each takes time with the square of their number.
constexpr std::size_t kMostCompared = 400;
constexpr std::size_t kWantedSamples = 16;
constexpr std::size_t kSampleTries = 64;

/// What no rule for a certain thing matches all of.
constexpr std::string_view kProbes[] = {
    "x",
    "user@example.com",
    "Subject: Hello, world",
    "192.0.2.1",
    "2001:db8::1",
    "\x01\x02\x7f",
    "  ",
    "MAIL.EXAMPLE.NET",
    "0",
    "=?utf-8?Q?=E2=82=AC?=",
};

/// Takes what the reader of the rules warns of: "pcre map FILE, line 3: REASON".
class RuleWarnings final : public libconf::DiagnosticSink {
 public:
  explicit RuleWarnings(TableFaults& faults) : faults_(faults) {}

  void report(libconf::Diagnostic diagnostic) override {
    constexpr std::string_view kLine = ", line ";
    std::string message = std::move(diagnostic.message);
    int line = 0;
    if (const std::size_t at = message.find(kLine); at != std::string::npos) {
      const char* end = message.data() + message.size();
      const auto number = std::from_chars(message.data() + at + kLine.size(), end, line);
      const std::size_t rest = static_cast<std::size_t>(number.ptr - message.data());
      message.erase(0, std::min(message.size(), rest + 2));
    }
    const bool is_group = message.find("replacement index") != std::string::npos;
    faults_.add(is_group ? TableFaultKind::kBadGroup : TableFaultKind::kSyntax, line, std::move(message));
  }

 private:
  TableFaults& faults_;
};

/// One pattern, compiled.
struct CheckedRule {
  const PatternRule* rule;
  libmaps::CompiledPattern* pattern = nullptr;
  std::optional<PatternForm> form = {};
  std::vector<std::string> samples = {};  ///< That it matches, for sure.
  bool matches_all = false;
};

class PatternScan {
 public:
  PatternScan(const TableJob& job, TableFaults& faults)
      : job_(job),
        faults_(faults),
        engine_(job.type == "pcre" ? libmaps::make_pcre_engine() : libmaps::make_regexp_engine()) {}

  void run(libmaps::SourceReader& reader, ValueCheck& values);

 private:
  void compile(PatternRule& rule);
  void take_samples(CheckedRule& checked);
  bool is_match(const CheckedRule& checked, std::string_view subject);
  bool is_outer(const PatternRule& earlier, const PatternRule& later) const;
  void check_shadowed();
  void check_duplicates();
  void check_domain_pattern(const CheckedRule& checked);
  void check_time(const CheckedRule& checked);
  bool is_for_domains() const;

  const TableJob& job_;
  TableFaults& faults_;
  std::unique_ptr<libmaps::PatternEngine> engine_;
  libmaps::PatternRules rules_;
  std::vector<CheckedRule> checked_;
  std::minstd_rand random_{20120229};  // The same findings each time.
};

void PatternScan::run(libmaps::SourceReader& reader, ValueCheck& values) {
  RuleWarnings warnings(faults_);
  rules_ = libmaps::read_pattern_rules(reader, *engine_, warnings);
  for (PatternRule& rule : rules_.rules) {
    if (!rule.is_if) {
      std::string value;
      for (const libmaps::ResultPiece& piece : rules_.result_of(rule))
        value += piece.group == 0 ? std::string(piece.text) : "1";
      values.check(value, [&](TableFaultKind kind, std::string message) {
        faults_.add(kind, rule.line, std::move(message));
      });
    }
  }
  check_duplicates();
  if (rules_.rules.size() > kMostCompared) return;
  for (PatternRule& rule : rules_.rules) compile(rule);
  check_shadowed();
  for (const CheckedRule& checked : checked_) {
    if (is_for_domains() && !checked.rule->is_if) check_domain_pattern(checked);
    check_time(checked);
  }
}

void PatternScan::compile(PatternRule& rule) {
  if (rule.compiled == nullptr) {
    auto compiled = engine_->compile(rule.pattern, rule.options, false);
    if (!compiled) return;
    rule.compiled = std::move(*compiled);
  }
  CheckedRule checked{.rule = &rule, .pattern = rule.compiled.get()};
  checked.matches_all = std::all_of(std::begin(kProbes), std::end(kProbes), [&](std::string_view probe) {
    return is_match(checked, probe) != rule.negated;
  });
  if (job_.type == "pcre") {
    libmaps::PcreLexer lexer(rule.pattern);
    checked.form = PatternForm::read(lexer);
  } else {
    libmaps::PosixLexer lexer(rule.pattern, true);
    checked.form = PatternForm::read(lexer);
  }
  take_samples(checked);
  checked_.push_back(std::move(checked));
}

bool PatternScan::is_match(const CheckedRule& checked, std::string_view subject) {
  libmaps::Captures none;
  const auto result = checked.pattern->match(subject, none);
  return result && *result;
}

/// Samples, some with other text around them; the engine says which of them the pattern really matches.
void PatternScan::take_samples(CheckedRule& checked) {
  if (!checked.form) return;
  constexpr std::string_view kAround[] = {"zq7-", "\x01", "mail.", "@b4.q"};
  std::set<std::string> found;
  for (std::size_t i = 0; i < kSampleTries && found.size() < kWantedSamples; ++i) {
    // Patterns with ^ or $ match nothing that has text on that side.
    std::string text((i & 1) == 0 ? "" : kAround[random_() % std::size(kAround)]);
    text += checked.form->sample(random_);
    if ((i & 2) != 0) text += kAround[random_() % std::size(kAround)];
    if (!text.empty() && is_match(checked, text)) found.insert(std::move(text));
  }
  checked.samples.assign(found.begin(), found.end());
}

/// Whether `earlier` is asked whenever `later` is.
bool PatternScan::is_outer(const PatternRule& earlier, const PatternRule& later) const {
  if (earlier.block == libmaps::kNoRule) return true;
  for (std::uint32_t block = later.block; block != libmaps::kNoRule; block = rules_.rules[block].block)
    if (block == earlier.block) return true;
  return false;
}

void PatternScan::check_shadowed() {
  // Where nothing but its own text matches a pattern, one sample tells all.
  constexpr std::size_t kEnoughOfClasses = 6;
  for (std::size_t i = 0; i < checked_.size(); ++i) {
    const CheckedRule& later = checked_[i];
    for (std::size_t j = 0; j < i; ++j) {
      const CheckedRule& earlier = checked_[j];
      if (earlier.rule->is_if || !is_outer(*earlier.rule, *later.rule)) continue;
      const bool is_same = earlier.rule->pattern == later.rule->pattern;
      if (is_same) continue;  // check_duplicates()
      const bool covers_samples =
          !earlier.rule->negated && !later.rule->negated &&
          later.samples.size() >= (later.form && later.form->has_classes() ? kEnoughOfClasses : 1) &&
          std::all_of(later.samples.begin(), later.samples.end(),
                      [&](const std::string& sample) { return is_match(earlier, sample); });
      if (!earlier.matches_all && !covers_samples) continue;
      faults_.add(TableFaultKind::kShadowed, later.rule->line,
                  concat("line ", std::to_string(earlier.rule->line), " matches ",
                         earlier.matches_all ? "everything" : "all that this pattern can"));
      break;
    }
  }
}

void PatternScan::check_duplicates() {
  std::set<std::tuple<std::string_view, std::uint32_t, bool, std::uint32_t>> seen;
  for (const PatternRule& rule : rules_.rules) {
    if (rule.is_if) continue;
    if (!seen.emplace(rule.pattern, rule.options, rule.negated, rule.block).second)
      faults_.add(TableFaultKind::kShadowed, rule.line, "an earlier line has the same pattern");
  }
}

bool PatternScan::is_for_domains() const {
  const auto is_about_domains = [](const TableUsage& usage) {
    switch (usage.purpose) {
      case TablePurpose::kAddress:
      case TablePurpose::kTransport:
      case TablePurpose::kAccessAddress:
      case TablePurpose::kAccessHost:
      case TablePurpose::kDomains:
      case TablePurpose::kDomainsBelow:
        return true;
      default:
        return false;
    }
  };
  return std::any_of(job_.usages.begin(), job_.usages.end(), is_about_domains);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }

/// Where a pattern says "name.tld" with its dot unescaped; npos: nowhere.
std::size_t open_dot(std::string_view pattern) {
  for (std::size_t i = 1; i + 2 < pattern.size(); ++i) {
    if (pattern[i] != '.' || !is_word(pattern[i - 1])) continue;
    if (i > 1 && pattern[i - 2] == '\\') continue;  // \w. and the like
    std::size_t end = i + 1;
    while (end < pattern.size() && is_letter(pattern[end])) ++end;
    const std::size_t letters = end - i - 1;
    const bool ends_there =
        end == pattern.size() || std::string_view("$)|.\\>").find(pattern[end]) != std::string_view::npos;
    if (letters >= 2 && ends_there) return i;
  }
  return std::string_view::npos;
}

/// Ends with "\.tld" or ".tld", so that it means a whole domain.
bool ends_with_domain(std::string_view pattern) {
  std::size_t start = pattern.size();
  while (start > 0 && is_letter(pattern[start - 1])) --start;
  return pattern.size() - start >= 2 && start >= 3 && pattern[start - 1] == '.' &&
         (pattern[start - 2] == '\\' ? is_word(pattern[start - 3]) : is_word(pattern[start - 2]));
}

void PatternScan::check_domain_pattern(const CheckedRule& checked) {
  const std::string_view pattern = checked.rule->pattern;
  const int line = checked.rule->line;
  if (const std::size_t dot = open_dot(pattern); dot != std::string_view::npos)
    faults_.add(TableFaultKind::kOpenDot, line,
                concat("the '.' in \"", pattern, "\" matches any character: write \\."));
  if (!checked.form || checked.rule->negated) return;
  std::minstd_rand random(1);
  const std::string sample = checked.form->sample(random);
  if (!is_match(checked, sample)) return;
  if (ends_with_domain(pattern) && is_match(checked, concat(sample, ".other.example")))
    return faults_.add(TableFaultKind::kNoAnchor, line,
                       concat("\"", pattern, "\" matches ", sample, ".other.example, too: end it with $"));
  const bool is_bare_domain = pattern.ends_with('$') &&
                              ends_with_domain(pattern.substr(0, pattern.size() - 1)) &&
                              is_word(pattern.front());
  if (is_bare_domain && is_match(checked, concat("other", sample)))
    faults_.add(TableFaultKind::kNoAnchor, line,
                concat("\"", pattern, "\" matches other", sample, ", too: begin it with ^ or (^|[@.])"));
}

void PatternScan::check_time(const CheckedRule& checked) {
  constexpr std::uint32_t kRepeats = 30;
  if (job_.type != "pcre" || !checked.form || !checked.form->has_nested_repeats()) return;
  // Giving up takes a while, and a few of them tell enough.
  if (!faults_.wants(TableFaultKind::kBacktracking)) return;
  for (const char filler : {'a', '1'}) {
    const std::string text = checked.form->stretched(kRepeats, filler);
    if (text.empty()) continue;
    // The last character must be there somewhere, or PCRE sees at once that nothing can match.
    for (const std::string& subject : {concat(text, "\x01"), concat(text.substr(0, text.size() - 1), "\x01",
                                                                    text.substr(text.size() - 1))}) {
      libmaps::Captures none;
      if (checked.pattern->match(subject, none)) continue;
      return faults_.add(
          TableFaultKind::kBacktracking, checked.rule->line,
          concat("PCRE gives up on a text of ", std::to_string(subject.size()), " characters"));
    }
  }
}

}  // namespace

void scan_patterns(const SiteModel& site, const TableJob& job, TableFaults& faults) {
  auto reader = libmaps::SourceReader::open_file(faults.file());
  if (!reader) return;
  ValueCheck values(site, job);
  PatternScan scan(job, faults);
  scan.run(*reader, values);
}

}  // namespace postlint
