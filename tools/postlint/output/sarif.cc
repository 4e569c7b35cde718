// SARIF 2.1.0 (OASIS), as code scanning services read it.
#include <array>

#include "tools/postlint/json_writer.h"
#include "tools/postlint/output/uri.h"
#include "tools/postlint/report.h"
#include "tools/postlint/source_lines.h"

namespace postlint {
namespace {

std::string_view level_of(Severity severity) {
  constexpr std::array<std::string_view, 3> kLevels = {"note", "warning", "error"};
  return kLevels[static_cast<std::size_t>(severity)];
}

void add_text(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  json.begin_object();
  json.member("text", text);
  json.end_object();
}

void add_rules(JsonWriter& json) {
  json.key("rules");
  json.begin_array();
  for (const Rule& rule : all_rules()) {
    json.begin_object();
    json.member("id", rule.id);
    add_text(json, "shortDescription", rule.summary);
    add_text(json, "fullDescription", rule.rationale);
    add_text(json, "help", libconf::concat("To mend: ", rule.mend, ". See ", rule.reference, "."));
    json.key("defaultConfiguration");
    json.begin_object();
    json.member("level", level_of(rule.severity));
    json.end_object();
    json.key("properties");
    json.begin_object();
    json.key("tags");
    json.begin_array();
    json.value(rule.group);
    json.end_array();
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

void add_region(JsonWriter& json, const SiteModel& site, const Place& place) {
  if (place.line == 0) return;
  const std::string_view line = line_of(site.source(place.file), place.line);
  json.key("region");
  json.begin_object();
  json.member("startLine", place.line);
  if (place.column != 0) {
    json.member("startColumn", character_column(line, place.column));
    json.member("endColumn", character_column(line, place.end_column));
  }
  json.end_object();
}

void add_result(JsonWriter& json, const SiteModel& site, const Finding& finding) {
  const Rule* rule = find_rule(finding.rule);
  json.begin_object();
  json.member("ruleId", rule->id);
  json.member("ruleIndex", rule - all_rules().data());
  json.member("level", level_of(finding.severity));
  add_text(json, "message", finding.message);
  json.key("locations");
  json.begin_array();
  json.begin_object();
  json.key("physicalLocation");
  json.begin_object();
  json.key("artifactLocation");
  json.begin_object();
  json.member("uri", uri_of(finding.place.file));
  json.end_object();
  add_region(json, site, finding.place);
  json.end_object();
  json.end_object();
  json.end_array();
  json.key("partialFingerprints");
  json.begin_object();
  json.member("postlint/v1", finding.fingerprint);
  json.end_object();
  json.end_object();
}

}  // namespace

std::string write_sarif(const Report& report) {
  JsonWriter json;
  json.begin_object();
  json.member("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
  json.member("version", "2.1.0");
  json.key("runs");
  json.begin_array();
  json.begin_object();
  json.key("tool");
  json.begin_object();
  json.key("driver");
  json.begin_object();
  json.member("name", "postlint");
  json.member("version", report.version);
  add_rules(json);
  json.end_object();
  json.end_object();
  json.member("columnKind", "unicodeCodePoints");
  json.key("results");
  json.begin_array();
  for (const AuditedSite& audited : report.sites)
    for (const Finding& finding : audited.result.findings) add_result(json, *audited.site, finding);
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  return json.text() + "\n";
}

}  // namespace postlint
