/// How many deliveries to a destination may be under way at a time: SCHEDULER_README, "Concurrency
/// scheduling".
///
///     ConcurrencyWindow window(rules);
///     if (busy < window.size()) start_a_delivery();
///     window.succeeded(busy);          // or window.failed(); is_dead() then tells whether that was enough
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mta {

/// What a delivery that ended adds or takes (postconf(5)): a constant, or one divided by the concurrency.
struct ConcurrencyFeedback {
  double value = 1;
  bool is_divided = false;     ///< By the concurrency.
  std::string parameter = {};  ///< Which parameter says so, for the log.

  /// From "1", "0.25", "1/4", "1 / concurrency"; nothing for other text, and for values that are not from 0
  /// to 1.
  static std::optional<ConcurrencyFeedback> parse(std::string_view text);
  double at(int concurrency) const { return is_divided ? value / concurrency : value; }
};

struct ConcurrencyRules {
  int limit = 20;          ///< TRANSPORT_destination_concurrency_limit; 0: none.
  int initial = 5;         ///< TRANSPORT_initial_destination_concurrency
  int failed_cohorts = 1;  ///< TRANSPORT_destination_concurrency_failed_cohort_limit; 0: never dead.
  ConcurrencyFeedback positive = {};
  ConcurrencyFeedback negative = {};
};

/// Not thread-safe. `rules` must outlive it.
class ConcurrencyWindow {
 public:
  explicit ConcurrencyWindow(const ConcurrencyRules& rules);

  std::size_t size() const { return static_cast<std::size_t>(concurrency_); }
  bool is_dead() const { return concurrency_ == 0; }

  /// A delivery ended well, while `busy` others are under way. Returns the feedback; nothing: there was none.
  std::optional<double> succeeded(std::size_t busy);

  /// A delivery ended because the destination is of no use. Returns as succeeded().
  std::optional<double> failed();

  /// "limit 20 window 5 success 0 failure 0 fail_cohorts 0": as destination_concurrency_feedback_debug shows
  /// it.
  std::string state() const;

 private:
  int limited(int concurrency) const;

  const ConcurrencyRules* rules_;
  int concurrency_;
  double success_ = 0;
  double failure_ = 0;
  double failed_cohorts_ = 0;
};

/// As printf() has it with "%g".
std::string feedback_text(double number);

}  // namespace mta
