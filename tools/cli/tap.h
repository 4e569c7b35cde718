/// Results of tests as TAP, the Test Anything Protocol, version 13: what prove(1) and CI systems read.
///
///     cli::TapReport report(output.text(), cases.size());
///     report.result(is_good, "virtual.test:4: info@example.com", {{"expected", "ann"}, {"actual", "bob"}});
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace cli {

/// Something to know about a test.
struct TapDetail {
  std::string_view name;  ///< A word.
  std::string_view value;
};

/// Appends to a text; not thread-safe.
class TapReport {
 public:
  /// Writes the head, which says that `count` results follow.
  TapReport(std::string& out, std::size_t count);

  /// One result.
  void result(bool is_good, std::string_view description);

  /// The same. `details` are shown, as a block of YAML, for a test that failed; those without a value are
  /// left out.
  void result(bool is_good, std::string_view description, std::initializer_list<TapDetail> details);

  /// Lines of a comment, each with `indent` in front.
  void comment(std::string_view lines, std::string_view indent = "");

 private:
  std::string& out_;
  std::size_t number_ = 0;
};

}  // namespace cli
