#include "tools/postconf/check.h"

#include <algorithm>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::Diagnostic;
using libconf::Result;
using libconf::Setting;
using libconf::Settings;
using libconf::Severity;

Diagnostic error_diagnostic(std::string_view code, const libconf::Error& error) {
  return {.severity = Severity::kError,
          .file = error.file,
          .line = error.line,
          .column = error.column,
          .code = code,
          .message = error.message};
}

/// Holds explicit values against the parameter table.
void check_values(const Settings& settings, const std::vector<std::string_view>& names,
                  libconf::DiagnosticSink& sink) {
  for (std::string_view name : names) {
    const libconf::Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr || parameter->type == libconf::ParameterType::kRaw) continue;
    const Result<std::string> value = settings.get(name);
    if (!value) continue;  // The scan has reported it.
    std::optional<libconf::Error> error = libconf::check_value(*parameter, *value);
    if (!error) continue;
    const Setting setting = *settings.explicit_setting(name);
    error->file = setting.origin.file;
    error->line = setting.origin.line;
    sink.report(error_diagnostic("bad-value", *error));
  }
}

void append_json(std::string& out, const Diagnostic& d, std::string_view severity) {
  out +=
      concat("{\"severity\": ", libconf::json_quote(severity), ", \"code\": ", libconf::json_quote(d.code));
  if (!d.file.empty()) out += concat(", \"file\": ", libconf::json_quote(d.file));
  if (d.line != 0) out += concat(", \"line\": ", std::to_string(d.line));
  if (d.column != 0) out += concat(", \"column\": ", std::to_string(d.column));
  out += concat(", \"message\": ", libconf::json_quote(d.message), "}\n");
}

void append_text(std::string& out, const Diagnostic& d, std::string_view severity) {
  if (!d.file.empty()) {
    out += d.file;
    if (d.line != 0) out += concat(":", std::to_string(d.line));
    out += ": ";
  }
  // Postfix's wording begins with the file; once is enough.
  std::string_view message = d.message;
  for (std::string_view prefix :
       {concat(d.file, ", line ", std::to_string(d.line), ": "), concat(d.file, ": "),
        concat("file ", d.file, ": line ", std::to_string(d.line), ": ")})
    if (!d.file.empty() && message.starts_with(prefix)) message.remove_prefix(prefix.size());
  out += concat(severity, ": ", message, " [", d.code, "]\n");
}

void find_all(const Options& options, libconf::DiagnosticList& findings) {
  auto configuration = Configuration::load(options, Loading::kMainCf, false, findings);
  if (!configuration) return findings.report(error_diagnostic("cannot-load", configuration.error()));
  const auto inventory = (*configuration)->inventory(findings);
  if (inventory)
    inventory->report(false, findings);
  else
    findings.report(error_diagnostic("bad-expression", inventory.error()));
  const Settings& settings = (*configuration)->settings();
  check_values(settings, settings.explicit_names(), findings);
  for (const libconf::PlacedService& service : (*configuration)->services()) {
    const std::vector<libconf::MasterOption> parts = service.service.options();
    std::vector<std::string_view> names;
    for (const libconf::MasterOption& option : parts) names.push_back(option.name);
    check_values((*configuration)->settings_of(service), names, findings);
  }
}

}  // namespace

Result<int> check_configuration(const Options& options, Console& console) {
  libconf::DiagnosticList findings;
  find_all(options, findings);
  bool has_error = false;
  for (const Diagnostic& finding : findings.items()) {
    const bool is_error = finding.severity == Severity::kError;
    has_error |= is_error;
    if (options.has('j'))
      append_json(console.out, finding, is_error ? "error" : "warning");
    else
      append_text(console.out, finding, is_error ? "error" : "warning");
  }
  return has_error ? 1 : 0;
}

}  // namespace postconf
