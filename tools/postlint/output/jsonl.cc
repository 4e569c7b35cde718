// A JSON object a line, for scripts.
#include "tools/postlint/json_writer.h"
#include "tools/postlint/report.h"

namespace postlint {

std::string write_jsonl(const Report& report) {
  std::string out;
  for (const AuditedSite& audited : report.sites) {
    for (const Finding& finding : audited.result.findings) {
      const Rule& rule = *find_rule(finding.rule);
      JsonWriter json;
      json.begin_object();
      json.member("rule", finding.rule);
      json.member("severity", severity_name(finding.severity));
      json.member("file", finding.place.file);
      if (finding.place.line != 0) json.member("line", finding.place.line);
      if (finding.place.column != 0) json.member("column", finding.place.column);
      if (finding.place.end_column != 0) json.member("end_column", finding.place.end_column);
      json.member("message", finding.message);
      json.member("mend", rule.mend);
      json.member("can_fix", finding.fix.has_value());
      json.member("fingerprint", finding.fingerprint);
      json.end_object();
      out += json.text() + "\n";
    }
  }
  return out;
}

}  // namespace postlint
