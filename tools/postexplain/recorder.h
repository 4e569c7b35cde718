/// Writes down what happens in a dry run, from all who tell: the restriction engine, tables, the DNS.
///
///     Recorder recorder(settings);
///     recorder.begin("stage", "RCPT TO");
///     co_await engine.check(state, memory, &recorder);
///     recorder.end();
///     print(recorder.take());
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/settings.h"
#include "tools/mta/access/access_trace.h"
#include "tools/mta/daemon/table_observer.h"
#include "tools/postexplain/missing_indexes.h"
#include "tools/postexplain/trace_node.h"

namespace postexplain {

/// Not thread-safe. Settings must outlive it.
class Recorder final : public mta::AccessTrace, public mta::TableObserver, public libconf::DiagnosticSink {
 public:
  explicit Recorder(const libconf::Settings& settings) : settings_(settings) {}

  using Facts = std::vector<std::pair<std::string, std::string>>;

  /// Something that has parts; it is complete with end().
  void begin(std::string_view kind, std::string text, Facts facts = {});
  void end();

  /// Something that has none.
  void add(TraceNode node);

  /// The same, unless it is there already, within the same begin() and end(): tables are asked again for what
  /// another step wants to know.
  void add_once(TraceNode node);

  /// A fact of what began last, and more text for people behind what is there.
  void say(std::string_view text, Facts facts = {});

  /// All that has ended; the recorder is empty then.
  std::vector<TraceNode> take();

  // What it is told.
  void begin_list(const mta::TracedList& list) override;
  void begin_restriction(const mta::TraceStep& step) override;
  void end_restriction(const mta::TraceStep& step) override;
  void deferred(std::string_view reply) override;
  std::string open_as(std::string_view table) override;
  void looked_up(std::string_view table, std::string_view key,
                 const libconf::Result<std::optional<std::string>>& value) override;
  void report(libconf::Diagnostic diagnostic) override;

  /// No list goes on: those of this command are done.
  void end_list();

  /// As end(); what nothing happened in is a detail.
  void end_stage();

 private:
  const libconf::Settings& settings_;
  MissingIndexes missing_indexes_;
  std::map<std::string, std::string>
      places_;  ///< Of entries, by table, key and value: to find one takes reading.
  std::vector<TraceNode> done_;
  std::vector<TraceNode> open_;  ///< The innermost last.
  bool has_list_ = false;        ///< A list is among them.
};

}  // namespace postexplain
