/// Comments that take findings back:
///
///     # postlint: ignore=mynetworks-wide the firewall lets nobody else in
///     mynetworks = 10.0.0.0/8
///
/// A comment counts for the logical line behind it; inside a logical line, for the physical line behind it;
/// "ignore-file=" for all of the file. Several rules are separated by commas.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/postlint/site_model.h"

namespace postlint {

/// One such comment.
struct IgnoreComment {
  std::vector<std::string> rules = {};
  std::string reason = {};
  bool is_for_file = false;
  int line = 0;  ///< Where it stands.
  // The lines that it counts for, both included.
  int first = 0;
  int last = 0;
};

/// All of a text that has the lines of main.cf. Pure.
std::vector<IgnoreComment> ignore_comments(std::string_view text);

/// Not thread-safe, as the site is not. The site must outlive it.
class Suppressions {
 public:
  explicit Suppressions(const SiteModel& site) : site_(site) {}

  bool has(const Finding& finding);

 private:
  const SiteModel& site_;
  std::map<std::string, std::vector<IgnoreComment>, std::less<>> files_;
};

}  // namespace postlint
