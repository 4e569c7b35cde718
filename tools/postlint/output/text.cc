// For people: each finding with its line, the place underlined, why it matters and how to mend it.
#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "tools/postlint/report.h"
#include "tools/postlint/source_lines.h"

namespace postlint {
namespace {

using libconf::concat;

constexpr std::string_view kReset = "\033[0m";
constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kFaint = "\033[2m";
/// By Severity.
constexpr std::array<std::string_view, 3> kColours = {"\033[1;36m", "\033[1;33m", "\033[1;31m"};

class TextWriter {
 public:
  explicit TextWriter(const Report& report) : report_(report) {}

  std::string write() {
    for (const AuditedSite& audited : report_.sites)
      for (const Finding& finding : audited.result.findings) add(*audited.site, finding);
    add_summary();
    return std::move(out_);
  }

 private:
  std::string styled(std::string_view style, std::string_view text) const {
    return report_.is_coloured ? concat(style, text, kReset) : std::string(text);
  }

  void add(const SiteModel& site, const Finding& finding) {
    const Rule& rule = *find_rule(finding.rule);
    const auto level = static_cast<std::size_t>(finding.severity);
    ++counts_[level];
    std::string where = finding.place.file;
    if (finding.place.line != 0) where += concat(":", std::to_string(finding.place.line));
    if (finding.place.column != 0) where += concat(":", std::to_string(finding.place.column));
    out_ += concat(styled(kBold, where), ": ", styled(kColours[level], severity_name(finding.severity)), ": ",
                   libconf::printable_utf8(finding.message), " ", styled(kFaint, concat("[", rule.id, "]")),
                   "\n");
    if (finding.place.line != 0) add_excerpt(site, finding.place, level);
    out_ += concat("  why:  ", rule.rationale, "\n  mend: ", rule.mend, "\n\n");
  }

  void add_excerpt(const SiteModel& site, const Place& place, std::size_t level) {
    const std::string number = std::to_string(place.line);
    std::string line(line_of(site.source(place.file), place.line));
    std::replace(line.begin(), line.end(), '\t', ' ');
    out_ += concat("  ", styled(kFaint, concat(number, " | ")), libconf::printable_utf8(line), "\n");
    if (place.column == 0) return;
    const std::string_view source = line_of(site.source(place.file), place.line);
    const auto column = static_cast<std::size_t>(character_column(source, place.column));
    const auto end = static_cast<std::size_t>(character_column(source, place.end_column));
    const std::size_t length = end > column ? end - column : 1;
    out_ += concat("  ", std::string(number.size(), ' '), styled(kFaint, " | "), std::string(column - 1, ' '),
                   styled(kColours[level], concat("^", std::string(length - 1, '~'))), "\n");
  }

  void add_summary() {
    std::size_t suppressed = 0;
    for (const AuditedSite& audited : report_.sites) suppressed += audited.result.suppressed;
    out_ += to_string(counts_);
    if (suppressed > 0) out_ += concat("; ", std::to_string(suppressed), " ignored by comments");
    out_ += "\n";
  }

  const Report& report_;
  SeverityCounts counts_{};
  std::string out_;
};

}  // namespace

std::string write_text(const Report& report) { return TextWriter(report).write(); }

}  // namespace postlint
