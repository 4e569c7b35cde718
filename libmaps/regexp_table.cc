#include "libmaps/regexp_table.h"

#include <regex.h>

#include <string>
#include <utility>
#include <vector>

#include "libmaps/pattern_table.h"
#include "libmaps/posix_lexer.h"

namespace libmaps {
namespace {

constexpr PatternFlag kFlags[] = {{'i', REG_ICASE}, {'m', REG_NEWLINE}, {'x', REG_EXTENDED}};

constexpr PatternDialect kDialect = {
    .type = "regexp",
    .default_options = REG_ICASE | REG_EXTENDED,
    .flags = kFlags,
    .unclosed = "skipping this rule",
    .out_of_range = "out-of-range",
    .has_exceptions = true,
};

std::string error_message(int error, const regex_t& regex) {
  char text[256];
  ::regerror(error, &regex, text, sizeof text);
  return text;
}

class RegexpPattern final : public CompiledPattern {
 public:
  RegexpPattern() = default;
  RegexpPattern(const RegexpPattern&) = delete;
  RegexpPattern& operator=(const RegexpPattern&) = delete;
  ~RegexpPattern() override {
    if (is_compiled_) ::regfree(&regex_);
  }

  libconf::Result<void> compile(std::string_view pattern, int options) {
    const int error = ::regcomp(&regex_, std::string(pattern).c_str(), options);
    is_compiled_ = error == 0;
    if (is_compiled_) return {};
    return libconf::Error{.kind = libconf::ErrorKind::kSyntax, .message = error_message(error, regex_)};
  }

  std::size_t group_count() const override { return regex_.re_nsub; }

  libconf::Result<bool> match(std::string_view subject, Captures& captures) override;

 private:
  regex_t regex_{};
  bool is_compiled_ = false;
};

libconf::Result<bool> RegexpPattern::match(std::string_view subject, Captures& captures) {
  // Asked for no offsets at all, the C library need not look for the longest match.
  const std::size_t wanted = captures.empty() ? 0 : captures.size() + 1;
  regmatch_t few[10];
  std::vector<regmatch_t> many;
  if (wanted > std::size(few)) many.resize(wanted);
  regmatch_t* ends = many.empty() ? few : many.data();
  // REG_STARTEND reads the subject's bounds here: a key need not end with a NUL.
  ends[0].rm_so = 0;
  ends[0].rm_eo = static_cast<regoff_t>(subject.size());
  const char* text = subject.empty() ? "" : subject.data();
  const int error = ::regexec(&regex_, text, wanted, ends, REG_STARTEND);
  if (error == REG_NOMATCH) return false;
  if (error != 0) return libconf::Error{.message = error_message(error, regex_)};
  for (std::size_t group = 1; group < wanted; ++group) {
    const regmatch_t& range = ends[group];
    if (range.rm_so < 0) continue;
    captures[group - 1] = subject.substr(static_cast<std::size_t>(range.rm_so),
                                         static_cast<std::size_t>(range.rm_eo - range.rm_so));
  }
  return true;
}

class RegexpEngine final : public PatternEngine {
 public:
  const PatternDialect& dialect() const override { return kDialect; }

  std::optional<PatternFacts> examine(std::string_view pattern, std::uint32_t options,
                                      LiteralChoices* literals) const override {
    PosixLexer lexer(pattern, (options & REG_EXTENDED) != 0);
    return examine_pattern(lexer, literals);
  }

  libconf::Result<std::unique_ptr<CompiledPattern>> compile(std::string_view pattern, std::uint32_t options,
                                                            bool captures) override {
    auto compiled = std::make_unique<RegexpPattern>();
    const int flags = static_cast<int>(options) | (captures ? 0 : REG_NOSUB);
    const auto done = compiled->compile(pattern, flags);
    if (!done) return done.error();
    return compiled;
  }
};

}  // namespace

std::unique_ptr<PatternEngine> make_regexp_engine() { return std::make_unique<RegexpEngine>(); }

Result<std::unique_ptr<Table>> open_regexp(std::string_view name, const TableContext& context) {
  return open_pattern_table(make_regexp_engine(), name, context);
}

}  // namespace libmaps
