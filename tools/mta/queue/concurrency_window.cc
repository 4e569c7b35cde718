#include "tools/mta/queue/concurrency_window.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "libconf/text.h"

namespace mta {

namespace {

std::optional<double> parse_number(std::string_view text) {
  text = libconf::trim(text);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ConcurrencyFeedback> ConcurrencyFeedback::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<double> number = parse_number(text.substr(0, slash));
  if (!number) return std::nullopt;
  ConcurrencyFeedback feedback{.value = *number};
  if (slash != std::string_view::npos) {
    const std::string_view divisor = libconf::trim(text.substr(slash + 1));
    feedback.is_divided = divisor == "concurrency";
    const std::optional<double> divided_by = feedback.is_divided ? 1 : parse_number(divisor);
    if (!divided_by || *divided_by == 0) return std::nullopt;
    feedback.value /= *divided_by;
  }
  if (!(feedback.value >= 0 && feedback.value <= 1)) return std::nullopt;
  return feedback;
}

ConcurrencyWindow::ConcurrencyWindow(const ConcurrencyRules& rules)
    : rules_(&rules), concurrency_(limited(std::max(rules.initial, 1))) {}

int ConcurrencyWindow::limited(int concurrency) const {
  return rules_->limit > 0 ? std::min(concurrency, rules_->limit) : concurrency;
}

// The sums are rounded to the nearest step: else 0.33 three times, or what is left of a sum of fractions,
// would count as none.
std::optional<double> ConcurrencyWindow::succeeded(std::size_t busy) {
  failed_cohorts_ = 0;
  if (rules_->limit > 0 && concurrency_ >= rules_->limit) return std::nullopt;
  // Else the effect of a failure would come late.
  if (size() > busy + static_cast<std::size_t>(rules_->initial)) return std::nullopt;
  const double feedback = rules_->positive.at(concurrency_);
  success_ += feedback;
  while (success_ + feedback / 2 >= 1) {
    concurrency_ += 1;
    success_ -= 1;
    failure_ = 0;
  }
  concurrency_ = limited(concurrency_);
  return feedback;
}

std::optional<double> ConcurrencyWindow::failed() {
  if (concurrency_ == 0) return std::nullopt;
  failed_cohorts_ += 1.0 / concurrency_;
  if (rules_->failed_cohorts > 0 && failed_cohorts_ >= rules_->failed_cohorts) {
    concurrency_ = 0;
    return std::nullopt;
  }
  const double feedback = rules_->negative.at(concurrency_);
  failure_ -= feedback;
  while (failure_ - feedback / 2 < 0) {
    concurrency_ -= 1;
    failure_ += 1;
    success_ = 0;
  }
  concurrency_ = std::max(concurrency_, 1);
  return feedback;
}

std::string ConcurrencyWindow::state() const {
  return libconf::concat("limit ", std::to_string(rules_->limit), " window ", std::to_string(concurrency_),
                         " success ", feedback_text(success_), " failure ", feedback_text(failure_),
                         " fail_cohorts ", feedback_text(failed_cohorts_));
}

std::string feedback_text(double number) {
  constexpr int kDigits = 6;
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::general, kDigits).ptr;
  return {text.data(), end};
}

}  // namespace mta
