/// What a parser or a checker found on its way: collected, never printed, so that one library serves a
/// terminal, JSON and a test.
///
///     DiagnosticList findings;
///     document.report(findings);
///     for (const Diagnostic& d : findings.items()) std::cerr << d.message << '\n';
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace libconf {

enum class Severity { kInfo, kWarning, kError };

/// One finding. `message` is complete and worded as Postfix's tools word it; `code` is a stable name for
/// programs. Lines and columns count from 1; 0 is unknown.
struct Diagnostic {
  Severity severity = Severity::kWarning;
  std::string file = {};
  int line = 0;
  int column = 0;
  std::string_view code;  ///< A string literal.
  std::string message;
};

/// Where diagnostics go. Implementations need not be thread-safe.
class DiagnosticSink {
 public:
  virtual ~DiagnosticSink() = default;
  virtual void report(Diagnostic diagnostic) = 0;

  void warn(std::string_view code, std::string message) {
    report({.severity = Severity::kWarning, .code = code, .message = std::move(message)});
  }
};

/// Keeps everything, in order.
class DiagnosticList final : public DiagnosticSink {
 public:
  void report(Diagnostic diagnostic) override { items_.push_back(std::move(diagnostic)); }
  const std::vector<Diagnostic>& items() const { return items_; }

 private:
  std::vector<Diagnostic> items_;
};

/// Keeps nothing.
class DiagnosticDiscard final : public DiagnosticSink {
 public:
  void report(Diagnostic) override {}
};

}  // namespace libconf
