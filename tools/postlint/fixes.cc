#include "tools/postlint/fixes.h"

#include <map>
#include <set>

namespace postlint {
namespace {

using libconf::Result;

/// The text of main.cf without the entries that start in these lines.
std::string without_entries(const libconf::MainCfDocument& document, const std::set<int>& starts) {
  const libconf::Lines& lines = document.lines();
  std::set<std::size_t> dropped;
  for (const libconf::LogicalLine& line : lines.logical()) {
    if (!starts.contains(static_cast<int>(line.first) + 1)) continue;
    for (std::size_t i = line.first; i <= line.last; ++i)
      if (lines.physical()[i].kind == libconf::LineKind::kStart ||
          lines.physical()[i].kind == libconf::LineKind::kContinuation)
        dropped.insert(i);
  }
  std::string out;
  for (std::size_t i = 0; i < lines.physical().size(); ++i)
    if (!dropped.contains(i)) out += lines.bytes(i);
  return out;
}

}  // namespace

Result<std::vector<FixedFile>> fixed_files(const SiteModel& site, const std::vector<Finding>& findings,
                                           libconf::DiagnosticSink& warnings) {
  std::map<std::string, std::optional<std::string>, std::less<>> settings;
  std::set<int> dropped_lines;
  std::vector<libconf::MasterCfChange> changes;
  for (const Finding& finding : findings) {
    if (!finding.fix) continue;
    for (const Fix::Setting& setting : finding.fix->main_cf) settings.emplace(setting.name, setting.value);
    dropped_lines.insert(finding.fix->dropped_lines.begin(), finding.fix->dropped_lines.end());
    changes.insert(changes.end(), finding.fix->master_cf.begin(), finding.fix->master_cf.end());
  }
  std::vector<FixedFile> out;
  const std::string& before = site.main_cf().text();
  libconf::MainCfEdit edit;
  for (const auto& [name, value] : settings) {
    if (value)
      edit.set(name, *value, warnings);
    else
      edit.remove(name);
  }
  std::string after =
      edit.apply(without_entries(site.main_cf(), dropped_lines), site.main_cf().file(), warnings);
  if (after != before) out.push_back({site.main_cf().file(), before, std::move(after)});
  if (site.master_document() != nullptr && !changes.empty()) {
    Result<std::string> changed = libconf::apply(changes, *site.master_document(), warnings);
    if (!changed) return changed.error();
    if (*changed != site.master_document()->text())
      out.push_back({site.master_document()->file(), site.master_document()->text(), std::move(*changed)});
  }
  return out;
}

}  // namespace postlint
