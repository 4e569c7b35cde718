#include "libmaps/pcre_table.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <string>
#include <utility>

#include "libconf/text.h"
#include "libmaps/pattern_table.h"
#include "libmaps/pcre_lexer.h"

namespace libmaps {
namespace {

constexpr PatternFlag kFlags[] = {
    {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE},      {'s', PCRE2_DOTALL},   {'x', PCRE2_EXTENDED},
    {'A', PCRE2_ANCHORED}, {'E', PCRE2_DOLLAR_ENDONLY}, {'U', PCRE2_UNGREEDY}, {'X', 0},
};

constexpr PatternDialect kDialect = {
    .type = "pcre",
    .default_options = PCRE2_CASELESS | PCRE2_DOTALL,
    .flags = kFlags,
    .unclosed = "ignoring this rule",
    .out_of_range = "out of range",
    .has_exceptions = false,
};

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Code = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Free<pcre2_jit_stack_free>>;

std::string error_message(int error) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

/// What the patterns of one table share: room for captures, and the stack of compiled code.
class Matcher {
 public:
  /// Room for at least `groups` captures.
  pcre2_match_data* data(std::size_t groups) {
    if (data_ == nullptr || groups >= pairs_) {
      pairs_ = std::max<std::size_t>(groups + 1, 16);
      data_.reset(pcre2_match_data_create(static_cast<std::uint32_t>(pairs_), nullptr));
    }
    return data_.get();
  }

  /// Limits and stack for machine code.
  pcre2_match_context* jit_context() {
    if (jit_context_ == nullptr) {
      jit_context_.reset(pcre2_match_context_create(nullptr));
      jit_stack_.reset(pcre2_jit_stack_create(kJitStackStart, kJitStackMax, nullptr));
      pcre2_set_match_limit(jit_context_.get(), kJitMatchLimit);
      pcre2_jit_stack_assign(jit_context_.get(), nullptr, jit_stack_.get());
    }
    return jit_context_.get();
  }

 private:
  static constexpr std::size_t kJitStackStart = std::size_t{32} * 1024;
  static constexpr std::size_t kJitStackMax = std::size_t{1024} * 1024;
  /// Machine code counts less than the interpreter, whose limit is Postfix's. So it gets less, and where it
  /// gives up the interpreter decides.
  static constexpr std::uint32_t kJitMatchLimit = 1'000'000;

  MatchData data_;
  std::size_t pairs_ = 0;
  MatchContext jit_context_;
  JitStack jit_stack_;
};

class PcrePattern final : public CompiledPattern {
 public:
  PcrePattern(Code code, Matcher& matcher) : code_(std::move(code)), matcher_(matcher) {}

  std::size_t group_count() const override {
    std::uint32_t count = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
  }

  libconf::Result<bool> match(std::string_view subject, Captures& captures) override;

 private:
  /// Making machine code costs about as much as this many interpreted matches.
  static constexpr std::uint32_t kRunsBeforeJit = 100;

  Code code_;
  Matcher& matcher_;
  std::uint32_t runs_ = 0;
  bool has_jit_ = false;
};

libconf::Result<bool> PcrePattern::match(std::string_view subject, Captures& captures) {
  if (runs_ < kRunsBeforeJit && ++runs_ == kRunsBeforeJit)
    has_jit_ = pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE) == 0;

  pcre2_match_data* data = matcher_.data(captures.size());
  const auto run = [&](std::uint32_t options, pcre2_match_context* context) {
    const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.empty() ? "" : subject.data());
    return pcre2_match(code_.get(), text, subject.size(), 0, options, data, context);
  };
  int count = has_jit_ ? run(0, matcher_.jit_context()) : run(PCRE2_NO_JIT, nullptr);
  const bool jit_gave_up = has_jit_ && count < 0 && count != PCRE2_ERROR_NOMATCH;
  if (jit_gave_up) count = run(PCRE2_NO_JIT, nullptr);
  if (count == PCRE2_ERROR_NOMATCH) return false;
  if (count < 0) return libconf::Error{.message = error_message(count)};

  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data);
  for (std::size_t group = 1; group <= captures.size(); ++group) {
    const PCRE2_SIZE begin = ends[2 * group];
    if (begin == PCRE2_UNSET) continue;
    captures[group - 1] = subject.substr(begin, ends[2 * group + 1] - begin);
  }
  return true;
}

class PcreEngine final : public PatternEngine {
 public:
  const PatternDialect& dialect() const override { return kDialect; }

  std::optional<PatternFacts> examine(std::string_view pattern, std::uint32_t options,
                                      LiteralChoices* literals) const override {
    if ((options & PCRE2_EXTENDED) != 0) return std::nullopt;
    PcreLexer lexer(pattern);
    return examine_pattern(lexer, literals);
  }

  libconf::Result<std::unique_ptr<CompiledPattern>> compile(std::string_view pattern, std::uint32_t options,
                                                            bool captures) override;

 private:
  Matcher matcher_;
};

libconf::Result<std::unique_ptr<CompiledPattern>> PcreEngine::compile(std::string_view pattern,
                                                                      std::uint32_t options,
                                                                      bool /*captures*/) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  // An empty view may have no address, which PCRE2 would refuse.
  const char* text = pattern.empty() ? "" : pattern.data();
  Code code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), pattern.size(), options, &error, &offset, nullptr));
  if (code == nullptr) {
    return libconf::Error{.kind = libconf::ErrorKind::kSyntax,
                          .message = libconf::concat("error in regex at offset ", std::to_string(offset),
                                                     ": ", error_message(error))};
  }
  return std::make_unique<PcrePattern>(std::move(code), matcher_);
}

}  // namespace

std::unique_ptr<PatternEngine> make_pcre_engine() { return std::make_unique<PcreEngine>(); }

Result<std::unique_ptr<Table>> open_pcre(std::string_view name, const TableContext& context) {
  return open_pattern_table(make_pcre_engine(), name, context);
}

}  // namespace libmaps
