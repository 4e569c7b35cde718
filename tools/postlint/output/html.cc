// One page for people, without anything from elsewhere: findings, settings, a picture.
#include "libconf/text.h"
#include "tools/postlint/output/flow_picture.h"
#include "tools/postlint/output/xml.h"
#include "tools/postlint/report.h"
#include "tools/postlint/source_lines.h"

namespace postlint {
namespace {

using libconf::concat;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>postlint</title>
<style>
:root { --ink: #1c2330; --paper: #fff; --faint: #667; --line: #d5d9e0; --error: #b3261e; --warning: #8a5a00; --info: #1a5fa8; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ee; --paper: #14171d; --faint: #9aa3b2; --line: #363c48; --error: #ff8a80; --warning: #ffcb6b; --info: #8ab4f8; --good: #7bd88f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
nav a { margin-right: 1rem; } a { color: var(--info); }
article { border-left: 4px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: 1rem 0; }
article.error { border-color: var(--error); } article.warning { border-color: var(--warning); } article.info { border-color: var(--info); }
.level { font-weight: 600; } .error .level { color: var(--error); } .warning .level { color: var(--warning); } .info .level { color: var(--info); }
article p { margin: .25rem 0; } .faint { color: var(--faint); font-size: .9rem; }
pre { margin: .4rem 0; padding: .5rem; border: 1px solid var(--line); border-radius: 4px; overflow-x: auto; font-size: .85rem; }
mark { background: none; color: inherit; text-decoration: underline wavy var(--error); }
dl { display: grid; grid-template-columns: minmax(0, 1fr); } dt { font-weight: 600; font-size: .9rem; } dd { margin: 0 0 .6rem 1rem; font-size: .9rem; }
@media (min-width: 45rem) { dl { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); } dd { margin: 0 0 .4rem; } }
.flow { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; } svg { width: 100%; max-width: 26rem; height: auto; }
svg text { font: 12px ui-monospace, monospace; white-space: pre; fill: var(--ink); } svg text.title { font-weight: 700; }
svg text.permit { fill: var(--good); } svg text.reject { fill: var(--error); } svg text.doubtful { fill: var(--warning); }
svg rect { fill: none; stroke: var(--line); } svg rect.server { stroke: var(--info); stroke-width: 1.5; } svg .arrow { fill: none; stroke: var(--faint); }
</style>
</head>
<body>
)";

/// The excerpt with the place marked.
std::string excerpt(const SiteModel& site, const Place& place) {
  if (place.line == 0) return {};
  const std::string_view line = line_of(site.source(place.file), place.line);
  const std::size_t begin =
      std::min<std::size_t>(place.column == 0 ? 0 : static_cast<std::size_t>(place.column - 1), line.size());
  const std::size_t end =
      std::min(std::max<std::size_t>(
                   begin, place.end_column == 0 ? 0 : static_cast<std::size_t>(place.end_column - 1)),
               line.size());
  return concat("<pre>", xml_escaped(line.substr(0, begin)), "<mark>",
                xml_escaped(line.substr(begin, end - begin)), "</mark>", xml_escaped(line.substr(end)),
                "</pre>\n");
}

std::string article(const SiteModel& site, const Finding& finding) {
  const Rule& rule = *find_rule(finding.rule);
  const std::string_view level = severity_name(finding.severity);
  std::string where = finding.place.file;
  if (finding.place.line != 0) where += concat(":", std::to_string(finding.place.line));
  return concat("<article class=\"", level, "\">\n<p><span class=\"level\">", level, "</span> ",
                xml_escaped(finding.message), "</p>\n<p class=\"faint\">", xml_escaped(where), " \xC2\xB7 ",
                rule.id, "</p>\n", excerpt(site, finding.place), "<p>", xml_escaped(rule.rationale),
                "</p>\n<p><strong>To mend:</strong> ", xml_escaped(rule.mend), "</p>\n<p class=\"faint\">",
                xml_escaped(rule.reference), "</p>\n</article>\n");
}

/// What a setting says, what it comes to, and where it stands.
std::string setting(const libconf::Settings& settings, std::string_view name) {
  const auto written = settings.explicit_setting(name);
  const std::string value = value_of(settings, name);
  std::string out =
      concat("<dt>", xml_escaped(name), "</dt><dd><code>", xml_escaped(written->value), "</code>");
  if (!value.empty() && value != written->value) out += concat(" = <code>", xml_escaped(value), "</code>");
  return concat(out, " <span class=\"faint\">", xml_escaped(to_string(written->origin)), "</span></dd>\n");
}

std::string settings_of(const SiteModel& site) {
  std::string out = "<dl>\n";
  for (const std::string_view name : site.settings().explicit_names())
    if (site.settings().explicit_setting(name)->origin.kind == libconf::OriginKind::kMainCf)
      out += setting(site.settings(), name);
  out += "</dl>\n";
  for (const Service& service : site.services()) {
    const auto options = service.service().options();
    if (options.empty() || service.is_replaced) continue;
    out += concat("<h3>", xml_escaped(service.service().key()), "</h3>\n<dl>\n");
    for (const libconf::MasterOption& option : options) out += setting(service.settings, option.name);
    out += "</dl>\n";
  }
  return out;
}

}  // namespace

std::string write_html(const Report& report) {
  std::string out(kHead);
  for (const AuditedSite& audited : report.sites) {
    const SiteModel& site = *audited.site;
    SeverityCounts counts{};
    for (const Finding& finding : audited.result.findings)
      ++counts[static_cast<std::size_t>(finding.severity)];
    out += concat("<h1>", xml_escaped(site.main_cf().file()), "</h1>\n<p>", to_string(counts),
                  ". Audited as: ", profile_name(site.profile()),
                  ".</p>\n<nav><a href=\"#findings\">Findings</a>"
                  "<a href=\"#flow\">Mail flow</a><a href=\"#settings\">Settings</a></nav>\n<h2 "
                  "id=\"findings\">Findings</h2>\n");
    if (audited.result.findings.empty()) out += "<p>None.</p>\n";
    // The worst first.
    for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kInfo})
      for (const Finding& finding : audited.result.findings)
        if (finding.severity == severity) out += article(site, finding);
    out += concat("<h2 id=\"flow\">Mail flow</h2>\n<div class=\"flow\">\n", flow_picture(site),
                  "</div>\n<h2 id=\"settings\">Settings</h2>\n", settings_of(site));
  }
  return out + concat("<p class=\"faint\">postlint ", report.version, "</p>\n</body>\n</html>\n");
}

}  // namespace postlint
