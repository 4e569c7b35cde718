#include "tools/postlint/pattern_sample.h"

#include <algorithm>
#include <string_view>

namespace postlint {
namespace {

using Kind = libmaps::PatternToken::Kind;

constexpr int kMaxDepth = 20;
/// Repeats that say more are no patterns for mail.
constexpr std::uint32_t kMostRepeats = 64;
/// What may stand for a class or a dot.
constexpr std::string_view kAnything = "aek5z0.-q";

}  // namespace

std::optional<PatternForm> PatternForm::read(libmaps::PatternLexer& lexer) {
  PatternForm form;
  if (!read_alternatives(lexer, false, kMaxDepth, form.alternatives_)) return std::nullopt;
  return form;
}

bool PatternForm::read_alternatives(libmaps::PatternLexer& lexer, bool is_inner, int depth,
                                    std::vector<Sequence>& alternatives) {
  alternatives.emplace_back();
  while (true) {
    const libmaps::PatternToken token = lexer.next();
    Sequence& sequence = alternatives.back();
    switch (token.kind) {
      case Kind::kEnd:
        return !is_inner;
      case Kind::kUnknown:
      case Kind::kOpenLook:
        return false;
      case Kind::kOneOf:
        sequence.push_back({.bytes = std::string(token.bytes.data(), token.count)});
        break;
      case Kind::kOpaque:
        sequence.push_back({});
        break;
      case Kind::kNothing:
        break;
      case Kind::kOpenGroup:
      case Kind::kOpenCapture:
        sequence.push_back({});
        if (depth == 0 || !read_alternatives(lexer, true, depth - 1, alternatives.back().back().alternatives))
          return false;
        break;
      case Kind::kClose:
        return is_inner;
      case Kind::kAlternate:
        alternatives.emplace_back();
        break;
      case Kind::kRepeat:
        if (sequence.empty() || token.min > kMostRepeats || token.max < token.min) return false;
        sequence.back().min = token.min;
        sequence.back().max = token.max;
        break;
    }
  }
}

std::string PatternForm::sample(std::minstd_rand& random) const {
  Output out;
  write_sample(alternatives_, random, out);
  return out.text;
}

void PatternForm::write_sample(const std::vector<Sequence>& alternatives, std::minstd_rand& random,
                               Output& out) {
  for (const Part& part : alternatives[random() % alternatives.size()]) {
    constexpr std::uint32_t kFewMore = 8;
    const std::uint32_t spread = std::min(part.max - part.min, kFewMore);
    for (std::uint32_t left = part.min + static_cast<std::uint32_t>(random() % (spread + 1));
         left > 0 && out.steps_left > 0; --left) {
      --out.steps_left;
      if (!part.alternatives.empty()) {
        write_sample(part.alternatives, random, out);
      } else {
        const std::string_view choices = part.bytes.empty() ? kAnything : std::string_view(part.bytes);
        out.text += choices[random() % choices.size()];
      }
    }
  }
}

bool PatternForm::has_class(const std::vector<Sequence>& alternatives) {
  for (const Sequence& sequence : alternatives)
    for (const Part& part : sequence)
      if (part.alternatives.empty() ? part.bytes.empty() : has_class(part.alternatives)) return true;
  return false;
}

bool PatternForm::has_nested_repeats() const { return has_nested(alternatives_, false); }

bool PatternForm::has_nested(const std::vector<Sequence>& alternatives, bool is_repeated) {
  if (is_repeated && alternatives.size() > 1) return true;
  for (const Sequence& sequence : alternatives)
    for (const Part& part : sequence) {
      if (is_repeated && part.is_unbounded()) return true;
      if (has_nested(part.alternatives, is_repeated || part.is_unbounded())) return true;
    }
  return false;
}

std::string PatternForm::stretched(std::uint32_t count, char filler) const {
  Output out;
  write_stretched(alternatives_, {count, filler}, out);
  return out.text;
}

void PatternForm::write_stretched(const std::vector<Sequence>& alternatives, Stretch stretch, Output& out) {
  if (alternatives.empty()) return;
  for (const Part& part : alternatives.front()) {
    const std::uint32_t times = part.is_unbounded() ? std::max(stretch.count, part.min) : part.min;
    for (std::uint32_t left = times; left > 0 && out.steps_left > 0; --left) {
      --out.steps_left;
      if (!part.alternatives.empty())
        write_stretched(part.alternatives, {part.is_unbounded() ? 1 : stretch.count, stretch.filler}, out);
      else
        out.text += part.bytes.empty() ? stretch.filler : part.bytes.front();
    }
  }
}

}  // namespace postlint
