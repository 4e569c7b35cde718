// Names and values of parameters.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "libconf/compatibility_level.h"
#include "libconf/parameter_inventory.h"
#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/cli/nearest_name.h"
#include "tools/postlint/release_features.h"
#include "tools/postlint/rules/rules.h"

namespace postlint::rules {

using libconf::concat;
using libconf::Diagnostic;
using libconf::Parameter;
using libconf::Result;
using libconf::Settings;

namespace {

/// What post-install(1) of Postfix fills in: a distribution's main.cf has these without a value.
constexpr std::array<std::string_view, 8> kFilledInByInstaller = {
    "html_directory",   "mailq_path",       "manpage_directory", "newaliases_path",
    "readme_directory", "sample_directory", "sendmail_path",     "setgid_group",
};

bool is_to_be_filled_in(std::string_view name, std::string_view value) {
  return value.empty() && std::find(kFilledInByInstaller.begin(), kFilledInByInstaller.end(), name) !=
                              kFilledInByInstaller.end();
}

}  // namespace

void bad_value(const SiteModel& site, Findings& findings) {
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    const Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr || libconf::is_raw(name)) return;
    const Result<std::string> value = settings.get(name);
    if (!value || is_to_be_filled_in(name, *value)) return;
    if (const std::optional<libconf::Error> error = libconf::check_value(*parameter, *value))
      findings.add(site.place_of(settings, name, settings.value_of(name).value_or("")), error->message);
  });
}

namespace {

/// Diagnostics of libconf's inventory that have one code, with what follows `label` in their messages.
void for_each_diagnostic(const SiteModel& site, std::string_view code, std::string_view label,
                         const std::function<void(const Diagnostic&, std::string_view name)>& visit) {
  libconf::DiagnosticList list;
  const auto inventory =
      libconf::ParameterInventory::scan(site.settings(), site.main_cf().file(), site.master_cf(), list,
                                        libconf::ParameterInventory::OnError::kGoOn);
  if (!inventory) return;
  inventory->report(false, list);
  for (const Diagnostic& each : list.items()) {
    const std::size_t at = each.message.find(label);
    if (each.code != code || at == std::string::npos) continue;
    const std::string_view rest = std::string_view(each.message).substr(at + label.size());
    visit(each, rest.substr(0, rest.find('=')));
  }
}

std::vector<std::string_view> known_names(const SiteModel& site) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : libconf::all_parameters())
    if (libconf::is_listed(parameter)) names.push_back(parameter.name);
  for (const auto& [name, value] : site.settings().service_parameters()) names.push_back(name);
  return names;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> names) {
  const std::string_view nearest = cli::nearest_name(name, names);
  return nearest.empty() ? std::string() : concat("; did you mean ", nearest, "?");
}

}  // namespace

void unused_param(const SiteModel& site, Findings& findings) {
  const std::vector<std::string_view> names = known_names(site);
  for_each_diagnostic(
      site, "unused-parameter", "unused parameter: ", [&](const Diagnostic& each, std::string_view name) {
        // Those in the files of tables have their own rule.
        const bool is_here =
            each.file == site.main_cf().file() ||
            (site.master_document() != nullptr && each.file == site.master_document()->file());
        if (is_here)
          findings.add(site.place_in_line(each.file, each.line, name),
                       concat("nothing uses ", name, did_you_mean(name, names)));
      });
}

void undef_ref(const SiteModel& site, Findings& findings) {
  std::vector<std::string_view> names = known_names(site);
  for (const std::string_view name : site.settings().explicit_names()) names.push_back(name);
  for_each_diagnostic(site, "undefined-parameter",
                      "undefined parameter: ", [&](const Diagnostic& each, std::string_view name) {
                        findings.add(
                            site.place_in_line(each.file, each.line, name),
                            concat("nothing defines ", name, "; it is empty", did_you_mean(name, names)));
                      });
}

namespace {

/// Reports the settings whose expansion ends with that diagnostic.
void report_expansion(const SiteModel& site, std::string_view code, Findings& findings,
                      const std::function<std::string(std::string_view name, const Diagnostic&)>& message) {
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    const std::string_view value = settings.value_of(name).value_or("");
    if (libconf::is_raw(name) || value.find('$') == std::string_view::npos) return;
    libconf::DiagnosticList list;
    if (settings.expand_text(value, list)) return;
    for (const Diagnostic& each : list.items())
      if (each.code == code) return findings.add(site.place_of(settings, name, value), message(name, each));
  });
}

}  // namespace

void ref_cycle(const SiteModel& site, Findings& findings) {
  report_expansion(site, "expression-loop", findings, [](std::string_view name, const Diagnostic&) {
    return concat("the value of ", name, " refers to itself");
  });
}

void bad_expression(const SiteModel& site, Findings& findings) {
  report_expansion(site, "expression-syntax", findings,
                   [](std::string_view, const Diagnostic& each) { return each.message; });
}

void deprecated_param(const SiteModel& site, Findings& findings) {
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    const Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr || parameter->deprecated_since.empty()) return;
    const std::optional<Version> since = parse_version(parameter->deprecated_since);
    if (since && site.target() < *since) return;
    const std::string_view replacement = parameter->replacement;
    const bool is_renamed = parameter->type == libconf::ParameterType::kLegacy;
    std::string advice = concat("; use ", replacement);
    if (replacement == "-") advice = "; there is no replacement";
    if (replacement == "(default)") advice = "; leave it at its default";
    std::optional<Fix> fix;
    const auto setting = settings.explicit_setting(name);
    if (is_renamed && setting->origin.kind == libconf::OriginKind::kMainCf &&
        !settings.explicit_setting(replacement))
      fix = Fix{.main_cf = {{std::string(name), std::nullopt},
                            {std::string(replacement), std::string(setting->value)}}};
    findings.add(site.place_of(settings, name),
                 concat(name, " is deprecated since Postfix ", parameter->deprecated_since, advice),
                 std::move(fix));
  });
}

void version_mismatch(const SiteModel& site, Findings& findings) {
  for_each_setting(site, [&](const Settings& settings, std::string_view name) {
    const Parameter* parameter = libconf::find_parameter(name);
    if (parameter == nullptr) return;
    const std::string target = to_string(site.target());
    if (!has_parameter(site.target(), name))
      findings.add(site.place_of(settings, name),
                   concat("Postfix ", target, " does not have ", name, ": it came with ", parameter->since));
    if (parameter->type == libconf::ParameterType::kRemoved && site.target() >= Version{3, 12, 0})
      findings.add(site.place_of(settings, name), concat("Postfix ", target, " no longer has ", name));
  });
}

void compat_level(const SiteModel& site, Findings& findings) {
  constexpr std::string_view kName = "compatibility_level";
  const Settings& settings = site.settings();
  const auto level = libconf::parse_compatibility_level(value_of(settings, kName));
  if (!level || site.target() < Version{3, 0, 0}) return;
  Settings current = settings;
  current.override_value(kName, to_string(std::min(site.target(), Version{3, 12, 0})));
  std::string changes;
  for (const Parameter& parameter : libconf::all_parameters()) {
    if (parameter.default_value.find("$compatibility_level") == std::string_view::npos) continue;
    if (settings.explicit_setting(parameter.name)) continue;
    const std::string now = value_of(settings, parameter.name);
    const std::string then = value_of(current, parameter.name);
    if (now != then)
      changes += concat(changes.empty() ? "" : ", ", parameter.name, " (\"", now, "\", not \"", then, "\")");
  }
  if (changes.empty()) return;
  const bool is_set = settings.explicit_setting(kName).has_value();
  findings.add(site.place_of(settings, kName),
               concat(is_set ? "an old compatibility_level" : "compatibility_level is not set",
                      ": old defaults count for ", changes));
}

}  // namespace postlint::rules
