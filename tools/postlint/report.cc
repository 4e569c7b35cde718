#include "tools/postlint/report.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"

namespace postlint {
namespace {

constexpr std::array kFormats = {
    Format{"checkstyle", "XML of checkstyle", write_checkstyle},
    Format{"github", "annotations of a GitHub workflow", write_github},
    Format{"gitlab", "a code quality report of GitLab", write_gitlab},
    Format{"html", "a page with settings and a picture", write_html},
    Format{"jsonl", "a JSON object a line", write_jsonl},
    Format{"junit", "XML of JUnit", write_junit},
    Format{"sarif", "SARIF 2.1.0", write_sarif},
    Format{"text", "for people", write_text},
};

std::string plural(std::size_t count, std::string_view one) {
  return libconf::concat(std::to_string(count), " ", one, count == 1 ? "" : "s");
}

}  // namespace

std::string to_string(const SeverityCounts& counts) {
  const auto of = [&](Severity severity) { return counts[static_cast<std::size_t>(severity)]; };
  return libconf::concat(plural(of(Severity::kError), "error"), ", ",
                         plural(of(Severity::kWarning), "warning"), ", ", std::to_string(of(Severity::kInfo)),
                         " info");
}

std::span<const Format> all_formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const Format& format) { return format.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace postlint
