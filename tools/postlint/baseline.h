/// Findings that are known and left for later: only new ones fail.
///
///     auto baseline = Baseline::load("postlint.baseline");
///     baseline->take_known(findings);        // those that are left are new
///     baseline->gone();                      // what may go from the file
///
/// The file has a line a finding: fingerprint, rule, file and line for people, separated by tabs; '#' begins
/// a comment. It is written in order, so that a review sees what has changed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/postlint/finding.h"

namespace postlint {

class Baseline {
 public:
  /// A file that is not there is an empty baseline. Errors: kInputOutput; kSyntax, for a line that is none.
  static libconf::Result<Baseline> load(const std::string& file);

  /// Reads a text; `file` is for messages.
  static libconf::Result<Baseline> parse(std::string_view text, std::string_view file);

  /// Removes from `findings` those that are in the baseline, each entry once, and returns how many.
  std::size_t take_known(std::vector<Finding>& findings);

  /// How many entries no finding has taken: they are mended, and their lines may go.
  std::size_t gone() const;

  /// The file for what take_known() has taken: it never has more than the old one.
  std::string shrunk() const;

  /// The file of a new baseline.
  static std::string text_of(const std::vector<Finding>& findings);

 private:
  struct Entry {
    std::string line;
    bool is_taken = false;
  };
  std::multimap<std::string, Entry, std::less<>> entries_;  ///< By fingerprint.
};

}  // namespace postlint
