#include "tools/mta/queue/concurrency_window.h"

#include <algorithm>
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

void ConcurrencyWindow::succeeded(std::size_t busy) {
  failed_cohorts_ = 0;
  // Else the effect of a failure would come late.
  if (static_cast<std::size_t>(concurrency_) >= busy + static_cast<std::size_t>(rules_->initial)) return;
  success_ += rules_->positive.at(concurrency_);
  while (success_ >= 1) {
    concurrency_ = limited(concurrency_ + 1);
    success_ -= 1;
    failure_ = 0;
  }
}

void ConcurrencyWindow::failed() {
  if (concurrency_ == 0) return;
  failed_cohorts_ += 1.0 / concurrency_;
  if (rules_->failed_cohorts > 0 && failed_cohorts_ >= rules_->failed_cohorts) {
    concurrency_ = 0;
    return;
  }
  failure_ -= rules_->negative.at(concurrency_);
  while (failure_ < 0) {
    concurrency_ -= 1;
    failure_ += 1;
    success_ = 0;
  }
  concurrency_ = std::max(concurrency_, 1);
}

}  // namespace mta
