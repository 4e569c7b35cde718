/// Shows the records of a queue file, as postcat(1) does, damaged ones included.
///
///     Printer printer({.envelope = true, .header = true, .body = true}, std::cout, sink);
///     Result<void> shown = printer.print(fd, "hold/4jcPpX1XVWz8NNP");
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "tools/mta/queue/raw_records.h"

namespace postcat {

/// What is shown.
struct View {
  bool envelope = false;  ///< And what was extracted from the headers.
  bool header = false;
  bool body = false;
  bool types = false;       ///< The type of a record in front of it, as a number.
  bool offsets = false;     ///< Where it stands, in front of it.
  std::uint64_t start = 0;  ///< Where the first record is; if not 0, the file may be any.
};

/// Not thread-safe; streams and sink must live longer.
class Printer {
 public:
  Printer(const View& view, std::ostream& out, libconf::DiagnosticSink& warnings)
      : view_(view), out_(out), warnings_(warnings) {}

  /// Shows the file open at `fd`, which may be a pipe; `name` is for the titles. What is odd in it is a
  /// warning. Errors: kDataCorrupt, when there is no way on; a warning has said why.
  libconf::Result<void> print(int fd, const std::string& name);

 private:
  enum class Part { kEnvelope, kHeader, kBody, kExtracted };
  struct File;

  libconf::Result<bool> next(File& file);
  libconf::Result<bool> follow(File& file);
  libconf::Result<bool> take(File& file);
  libconf::Result<bool> begin_content(File& file);
  bool end_content(File& file);
  libconf::Result<bool> end(File& file);
  libconf::Result<bool> take_sizes(File& file);
  libconf::Result<bool> pass_content(File& file);
  libconf::Result<bool> take_line(File& file);
  void show(const File& file, std::string_view label, std::string_view text);
  void show_attribute(const File& file);
  void show_title(const File& file, std::string_view title);
  void prefix(const File& file);
  bool shows(Part part) const;
  void warn(std::string text);
  void warn_of(const File& file, std::string_view text);

  View view_;
  std::ostream& out_;
  libconf::DiagnosticSink& warnings_;
};

}  // namespace postcat
