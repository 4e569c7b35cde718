/// How the restriction engine comes to a verdict, told step by step to whoever wants to know: postexplain(1).
///
///     class Printer : public AccessTrace { void end_restriction(const TraceStep& step) override { ... } };
///     Printer printer;
///     co_await engine.check(state, memory, &printer);
///
/// Lookups of tables are told by tools/mta/daemon/table_observer.h, questions to the DNS and to policy
/// servers by whoever answers them (services.h), all between the two calls for the restriction that asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mta {

/// What one restriction did.
enum class StepResult : std::uint8_t {
  kDunno,
  kPermit,
  kReject,
  kDiscard,
  kDeferIfPermit,
  kDeferIfReject,
  kWarned
};

/// "dunno", "permit" and so on.
std::string_view step_result_name(StepResult result);

/// A list of restrictions that is applied.
struct TracedList {
  std::string_view parameter;  ///< That holds it, or that asks for what is checked unasked.
  std::string_view file = {};  ///< Where it is set; empty: its default.
  int line = 0;
  bool is_empty = false;
};

/// One restriction that is applied.
struct TraceStep {
  std::string list;       ///< The parameter that names it, or the table that it came from.
  std::string file = {};  ///< Where the parameter is set; empty: its default.
  int line = 0;
  int depth = 0;            ///< 0 in the list itself, more in restriction classes and tables.
  std::string restriction;  ///< With its argument.
  bool warns_only = false;  ///< warn_if_reject stands before it.
  StepResult result = StepResult::kDunno;
  std::string table = {};  ///< What had a matching key.
  std::string key = {};
  std::string value = {};  ///< What the table, the name server or the policy server said.
  std::string reply = {};  ///< Of a step that rejects or would.
};

/// Calls come from within AccessEngine::check(); views are valid during the call only.
class AccessTrace {
 public:
  virtual ~AccessTrace() = default;

  /// A list begins, in the order of SMTP.
  virtual void begin_list(const TracedList& list) = 0;

  /// A restriction begins, and ends with its result. Those of classes and tables come in between.
  virtual void begin_restriction(const TraceStep& step) = 0;
  virtual void end_restriction(const TraceStep& step) = 0;

  /// Nothing refused the command, so that what was put off (defer_if_permit) is its reply now.
  virtual void deferred(std::string_view reply) = 0;
};

}  // namespace mta
