// What continuous integration systems read: JUnit, checkstyle, annotations of GitHub, code quality of GitLab.
#include <array>
#include <map>

#include "libconf/text.h"
#include "tools/postlint/json_writer.h"
#include "tools/postlint/output/xml.h"
#include "tools/postlint/report.h"

namespace postlint {
namespace {

using libconf::concat;

/// All findings, by file.
std::map<std::string, std::vector<const Finding*>> by_file(const Report& report) {
  std::map<std::string, std::vector<const Finding*>> out;
  for (const AuditedSite& audited : report.sites) {
    out[audited.site->main_cf().file()];
    for (const Finding& finding : audited.result.findings) out[finding.place.file].push_back(&finding);
  }
  return out;
}

std::string attribute(std::string_view name, std::string_view value) {
  return concat(" ", name, "=\"", xml_escaped(value), "\"");
}

std::string where(const Finding& finding) {
  return finding.place.line == 0 ? finding.place.file
                                 : concat(finding.place.file, ":", std::to_string(finding.place.line));
}

/// A property or the text of a workflow command.
std::string command_escaped(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\n')
      out += "%0A";
    else if (c == '\r')
      out += "%0D";
    else if (is_property && c == ':')
      out += "%3A";
    else if (is_property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string write_junit(const Report& report) {
  const auto files = by_file(report);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"postlint\">\n";
  for (const auto& [file, findings] : files) {
    // A file without findings is a test that has passed.
    const std::size_t tests = findings.empty() ? 1 : findings.size();
    out += concat("  <testsuite", attribute("name", file), attribute("tests", std::to_string(tests)),
                  attribute("failures", std::to_string(findings.size())), ">\n");
    if (findings.empty())
      out += concat("    <testcase", attribute("name", "postlint"), attribute("classname", file), "/>\n");
    for (const Finding* finding : findings)
      out +=
          concat("    <testcase", attribute("name", concat(finding->rule, " ", where(*finding))),
                 attribute("classname", file), ">\n      <failure",
                 attribute("type", severity_name(finding->severity)), attribute("message", finding->message),
                 ">", xml_escaped(concat(where(*finding), ": ", find_rule(finding->rule)->mend)),
                 "</failure>\n    </testcase>\n");
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string write_checkstyle(const Report& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n";
  for (const auto& [file, findings] : by_file(report)) {
    out += concat("  <file", attribute("name", file), ">\n");
    for (const Finding* finding : findings) {
      out += concat("    <error", attribute("line", std::to_string(finding->place.line)));
      if (finding->place.column != 0) out += attribute("column", std::to_string(finding->place.column));
      out += concat(attribute("severity", severity_name(finding->severity)),
                    attribute("message", finding->message),
                    attribute("source", concat("postlint.", finding->rule)), "/>\n");
    }
    out += "  </file>\n";
  }
  return out + "</checkstyle>\n";
}

std::string write_github(const Report& report) {
  constexpr std::array<std::string_view, 3> kCommands = {"notice", "warning", "error"};
  std::string out;
  for (const AuditedSite& audited : report.sites) {
    for (const Finding& finding : audited.result.findings) {
      const Place& place = finding.place;
      out += concat("::", kCommands[static_cast<std::size_t>(finding.severity)],
                    " file=", command_escaped(place.file, true));
      if (place.line != 0) out += concat(",line=", std::to_string(place.line));
      if (place.column != 0)
        out += concat(",col=", std::to_string(place.column), ",endColumn=", std::to_string(place.end_column));
      out += concat(",title=", finding.rule, "::", command_escaped(finding.message, false), "\n");
    }
  }
  return out;
}

std::string write_gitlab(const Report& report) {
  constexpr std::array<std::string_view, 3> kSeverities = {"info", "minor", "major"};
  JsonWriter json;
  json.begin_array();
  for (const AuditedSite& audited : report.sites) {
    for (const Finding& finding : audited.result.findings) {
      json.begin_object();
      json.member("description", finding.message);
      json.member("check_name", finding.rule);
      json.member("fingerprint", finding.fingerprint);
      json.member("severity", kSeverities[static_cast<std::size_t>(finding.severity)]);
      json.key("location");
      json.begin_object();
      json.member("path", finding.place.file);
      json.key("lines");
      json.begin_object();
      json.member("begin", std::max(finding.place.line, 1));
      json.end_object();
      json.end_object();
      json.end_object();
    }
  }
  json.end_array();
  return json.text() + "\n";
}

}  // namespace postlint
