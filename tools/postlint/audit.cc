#include "tools/postlint/audit.h"

#include <algorithm>
#include <tuple>

#include "tools/postlint/fingerprint.h"
#include "tools/postlint/suppressions.h"

namespace postlint {
namespace {

bool names_rule(const std::vector<std::string>& names, const Rule& rule) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name == rule.id || name == rule.group; });
}

bool is_wanted(const Rule& rule, const AuditChoice& choice, Profile profile) {
  if (names_rule(choice.ignored, rule)) return false;
  if (!choice.selected.empty()) return names_rule(choice.selected, rule);
  return (rule.profiles & profile_bit(profile)) != 0;
}

/// Takes what one rule reports. Several services share a setting of main.cf; what is wrong with it is one
/// finding.
class Collector final : public Findings {
 public:
  Collector(const SiteModel& site, std::vector<Finding>& out, const Rule& rule, Severity severity)
      : site_(site), out_(out), first_(out.size()), rule_(rule), severity_(severity) {}

  void add(Place place, std::string message, std::optional<Fix> fix) override {
    place.file = site_.shown_name(place.file);
    for (std::size_t i = first_; i < out_.size(); ++i) {
      const Finding& other = out_[i];
      if (other.place.line == place.line && other.place.column == place.column && other.message == message &&
          other.place.file == place.file)
        return;
    }
    out_.push_back({.rule = rule_.id,
                    .severity = severity_,
                    .place = std::move(place),
                    .message = std::move(message),
                    .fix = std::move(fix)});
  }

 private:
  const SiteModel& site_;
  std::vector<Finding>& out_;
  std::size_t first_;
  const Rule& rule_;
  Severity severity_;
};

}  // namespace

AuditResult audit(const SiteModel& site, const AuditChoice& choice) {
  AuditResult result;
  for (const Rule& rule : all_rules()) {
    if (!is_wanted(rule, choice, site.profile())) continue;
    const auto severity = choice.severities.find(rule.id);
    Collector collector(site, result.findings, rule,
                        severity == choice.severities.end() ? rule.severity : severity->second);
    rule.check(site, collector);
  }
  Suppressions suppressions(site);
  result.suppressed =
      std::erase_if(result.findings, [&](const Finding& finding) { return suppressions.has(finding); });
  std::stable_sort(result.findings.begin(), result.findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) <
           std::tie(b.place.file, b.place.line, b.place.column);
  });
  add_fingerprints(site, result.findings);
  return result;
}

}  // namespace postlint
