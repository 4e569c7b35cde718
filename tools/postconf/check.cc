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

/// What Postfix's tools warn of and go on, but what keeps Postfix from working.
constexpr std::string_view kErrorCodes[] = {"expression-syntax", "expression-loop", "compatibility-level",
                                            "no-master-cf"};

Diagnostic error_diagnostic(std::string_view code, const libconf::Error& error) {
  return {.severity = Severity::kError,
          .file = error.file,
          .line = error.line,
          .column = error.column,
          .code = code,
          .message = error.message};
}

Diagnostic error_at(std::string_view code, libconf::Error error, const Settings& settings,
                    std::string_view name) {
  if (const std::optional<Setting> setting = settings.explicit_setting(name)) {
    error.file = setting->origin.file;
    error.line = setting->origin.line;
  }
  return error_diagnostic(code, error);
}

/// Holds explicit values against the parameter table. What cannot be expanded, the scan for names has
/// reported.
void check_values(const Settings& settings, const std::vector<std::string_view>& names,
                  libconf::DiagnosticSink& sink) {
  for (std::string_view name : names) {
    const libconf::Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr || libconf::is_raw(name)) continue;
    const Result<std::string> value = settings.get(name);
    if (!value) continue;
    if (const std::optional<libconf::Error> error = libconf::check_value(*parameter, *value))
      sink.report(error_at("bad-value", *error, settings, name));
  }
}

/// The defaults that depend on the host need good values of a few parameters.
void check_host_defaults(const Settings& settings, libconf::DiagnosticSink& sink) {
  const std::optional<std::string_view> networks = settings.value_of("mynetworks");
  if (!networks || !settings.host_error()) return;
  const std::string_view message = settings.host_error()->message;
  for (std::string_view name : {"inet_protocols", "inet_interfaces", "mynetworks_style"})
    if (message.find(name.substr(0, 10)) != std::string_view::npos)
      return sink.report(error_at("bad-value", *settings.host_error(), settings, name));
  sink.report(error_diagnostic("bad-value", *settings.host_error()));
}

/// The findings of a run, each once, and with the file told apart from the message.
class Findings final : public libconf::DiagnosticSink {
 public:
  void report(Diagnostic finding) override {
    // The pointer to a page that Postfix prints after its last warning is no finding.
    if (finding.code == "deprecated-parameter" && finding.file.empty()) return;
    if (std::find(std::begin(kErrorCodes), std::end(kErrorCodes), finding.code) != std::end(kErrorCodes))
      finding.severity = Severity::kError;
    strip_place(finding);
    const bool is_known = std::any_of(items_.begin(), items_.end(), [&](const Diagnostic& other) {
      return other.file == finding.file && other.line == finding.line && other.message == finding.message;
    });
    if (!is_known) items_.push_back(std::move(finding));
  }

  /// By file, then line; findings without a place come first.
  std::vector<Diagnostic> sorted() && {
    std::stable_sort(items_.begin(), items_.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return std::tie(a.file, a.line) < std::tie(b.file, b.line);
    });
    return std::move(items_);
  }

 private:
  /// Postfix's wording often begins with the file; once is enough.
  static void strip_place(Diagnostic& finding) {
    if (finding.file.empty()) return;
    const std::string line = std::to_string(finding.line);
    for (const std::string& prefix : {concat(finding.file, ", line ", line, ": "), concat(finding.file, ": "),
                                      concat("file ", finding.file, ": line ", line, ": ")})
      if (finding.message.starts_with(prefix)) finding.message.erase(0, prefix.size());
  }

  std::vector<Diagnostic> items_;
};

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
  out += concat(severity, ": ", d.message, " [", d.code, "]\n");
}

void find_all(const Options& options, Findings& findings) {
  auto configuration = Configuration::load(options, Loading::kMainCf, findings);
  if (!configuration) return findings.report(error_diagnostic("cannot-load", configuration.error()));
  const auto inventory = (*configuration)->inventory(findings, libconf::ParameterInventory::OnError::kGoOn);
  if (!inventory) return findings.report(error_diagnostic("cannot-load", inventory.error()));
  inventory->report(false, findings);
  const Settings& settings = (*configuration)->settings();
  check_values(settings, settings.explicit_names(), findings);
  check_host_defaults(settings, findings);
  for (const libconf::PlacedService& service : (*configuration)->services()) {
    const std::vector<libconf::MasterOption> options_of_service = service.service.options();
    std::vector<std::string_view> names;
    names.reserve(options_of_service.size());
    for (const libconf::MasterOption& option : options_of_service) names.push_back(option.name);
    check_values((*configuration)->settings_of(service), names, findings);
  }
}

}  // namespace

Result<int> check_configuration(const Options& options, Console& console) {
  Findings findings;
  find_all(options, findings);
  bool has_error = false;
  for (const Diagnostic& finding : std::move(findings).sorted()) {
    const bool is_error = finding.severity == Severity::kError;
    has_error |= is_error;
    const auto append = options.has('j') ? append_json : append_text;
    append(console.out, finding, is_error ? "error" : "warning");
  }
  return has_error ? 1 : 0;
}

}  // namespace postconf
