// A main.cf of any bytes: the audit ends, and every finding is at a place that the text has.
#include <algorithm>

#include "tests/fuzz/property.h"
#include "tools/postlint/audit.h"
#include "tools/postlint/source_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text(data, size));
  const auto site = postlint::SiteModel::load(
      {.main_cf = "main.cf", .main_text = text, .config_directory = "/nonexistent"});
  require(site.has_value(), "any text can be audited");
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const postlint::Finding& finding : postlint::audit(**site, {}).findings) {
    const postlint::Place& place = finding.place;
    require(postlint::find_rule(finding.rule) != nullptr, "a finding has a rule");
    require(!finding.message.empty() && finding.fingerprint.size() == 16, "it says something");
    if (place.file != "main.cf") continue;
    require(place.line >= 0 && place.line <= lines, "its line is one of the text");
    const auto width = static_cast<int>(postlint::line_of(text, place.line).size());
    require(place.column >= 0 && place.column <= width + 1, "it begins in the line");
    require(place.end_column <= width + 1, "it ends in the line");
  }
  return 0;
}
