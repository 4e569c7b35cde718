#include "tools/postconf/explain.h"

#include <algorithm>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/cli/nearest_name.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::Parameter;
using libconf::ParameterClass;
using libconf::Result;
using libconf::Setting;
using libconf::Settings;

std::string_view class_word(ParameterClass parameter_class) {
  switch (parameter_class) {
    case ParameterClass::kBuiltin:
      return "built-in";
    case ParameterClass::kService:
      return "service-defined";
    case ParameterClass::kUser:
      return "user-defined";
  }
  return "";
}

std::string or_empty(std::string_view value) { return std::string(value.empty() ? "(empty)" : value); }

/// One fact a line, labels in one column.
class FactSheet {
 public:
  explicit FactSheet(std::string& out) : out_(out) {}

  void add(std::string_view label, std::string_view text) {
    constexpr std::size_t kColumn = 14;
    std::string line = concat("  ", label, ":");
    line.append(line.size() < kColumn + 2 ? kColumn + 2 - line.size() : 1, ' ');
    out_ += concat(line, text, "\n");
  }

 private:
  std::string& out_;
};

std::string limits_text(const Parameter& parameter) {
  std::string unit;
  switch (parameter.type) {
    case libconf::ParameterType::kTime:
      unit = " s";
      break;
    case libconf::ParameterType::kString:
    case libconf::ParameterType::kRaw:
    case libconf::ParameterType::kComputed:
      unit = " characters";
      break;
    default:
      break;
  }
  std::string text;
  if (parameter.min != 0) text = concat("at least ", std::to_string(parameter.min), unit);
  if (parameter.max != 0)
    text += concat(text.empty() ? "" : ", ", "at most ", std::to_string(parameter.max), unit);
  return text == "at least 1 characters" ? "not empty" : text;
}

void add_table_facts(FactSheet& sheet, const Parameter& parameter) {
  sheet.add("type", type_name(parameter.type));
  if (parameter.type == libconf::ParameterType::kTime)
    sheet.add("bare number", concat("in units of ", std::string(1, libconf::default_time_unit(parameter))));
  if (const std::string limits = limits_text(parameter); !limits.empty()) sheet.add("limits", limits);
  // The table knows when the documentation began to name a release; old parameters may be older than that.
  sheet.add("since", parameter.since.empty() ? std::string("documented from early on")
                                             : concat("documented since Postfix ", parameter.since));
  if (parameter.default_debian == "-") sheet.add("note", "not in Postfix 3.7 (Debian 12)");
  if (!parameter.deprecated_since.empty()) {
    const bool has_successor = parameter.replacement != "-" && parameter.replacement != "(default)";
    sheet.add("deprecated",
              concat("since Postfix ", parameter.deprecated_since,
                     has_successor ? concat("; use ", parameter.replacement) : "; do not set it"));
  }
}

/// The expanded value, and each $name on the way.
void add_expansion(FactSheet& sheet, const Settings& settings, const Setting& setting, Console& console) {
  std::vector<std::string> steps;
  const Result<std::string> value =
      settings.expand_text(setting.value, console.warnings,
                           [&](std::string_view name, std::optional<std::string_view> raw, int depth) {
                             std::string step(static_cast<std::size_t>(depth - 1) * 2, ' ');
                             step += concat("$", name,
                                            raw ? concat(" = ", or_empty(libconf::collapse_blanks(*raw)))
                                                : std::string(" is not defined"));
                             if (const std::optional<Setting> used = settings.find(name))
                               step += concat("  # ", to_string(used->origin));
                             steps.push_back(std::move(step));
                           });
  for (const std::string& step : steps) sheet.add("uses", step);
  sheet.add("expanded", value ? or_empty(libconf::collapse_blanks(*value))
                              : concat("cannot be expanded: ", value.error().message));
}

void add_services(FactSheet& sheet, const Configuration& configuration, std::string_view name) {
  for (const libconf::PlacedService& service : configuration.services()) {
    const std::vector<libconf::MasterOption> options = service.service.options();
    const auto last = std::find_if(options.rbegin(), options.rend(),
                                   [&](const libconf::MasterOption& option) { return option.name == name; });
    if (last == options.rend()) continue;
    const Settings local = configuration.settings_of(service);
    const std::string raw = libconf::collapse_blanks(last->value);
    const Result<std::string> value = local.get(name);
    std::string text = concat(service.service.key(), " sets ", or_empty(raw));
    if (value && *value != last->value)
      text += concat(" (expanded: ", or_empty(libconf::collapse_blanks(*value)), ")");
    const int line = configuration.master_cf()->position(service, last->offset).line;
    sheet.add("override", concat(text, "  # ", configuration.master_cf()->file(), ":", std::to_string(line)));
  }
}

/// True when an -o option of some service sets `name`.
bool is_set_by_service(const Configuration& configuration, std::string_view name) {
  for (const libconf::PlacedService& service : configuration.services())
    for (const libconf::MasterOption& option : service.service.options())
      if (option.name == name) return true;
  return false;
}

/// The class of a name; one that is set counts as user-defined even when nothing uses it. Nothing: unknown.
std::optional<std::string> class_text(const Configuration& configuration,
                                      const libconf::ParameterInventory& inventory, std::string_view name) {
  if (const std::optional<ParameterClass> known = inventory.class_of(name))
    return std::string(class_word(*known));
  const Parameter* parameter = libconf::find_parameter(name);
  if (parameter != nullptr) return std::string("removed");
  if (configuration.settings().explicit_setting(name)) return std::string("none: nothing uses this name");
  if (is_set_by_service(configuration, name)) return std::string(class_word(ParameterClass::kUser));
  return std::nullopt;
}

}  // namespace

Result<int> explain_parameter(const Options& options, Console& console) {
  const std::string& name = *options.explain;
  auto configuration = Configuration::load(options, Loading::kMainCf, console.warnings);
  if (!configuration) return configuration.error();
  libconf::DiagnosticDiscard discard;
  // What is wrong with other parameters does not matter here.
  const auto inventory = (*configuration)->inventory(discard, libconf::ParameterInventory::OnError::kGoOn);
  if (!inventory) return inventory.error();
  const Settings& settings = (*configuration)->settings();
  const std::optional<std::string> class_of_name = class_text(**configuration, *inventory, name);
  if (!class_of_name) {
    const std::string_view nearest = cli::nearest_name(name, inventory->names(libconf::kAllClasses));
    return libconf::configuration_error(
        concat(name, ": unknown parameter", nearest.empty() ? "" : concat("; did you mean ", nearest, "?")));
  }

  const Parameter* parameter = libconf::find_parameter(name);
  console.out += name + "\n";
  FactSheet sheet(console.out);
  sheet.add("class", *class_of_name);
  if (parameter != nullptr) add_table_facts(sheet, *parameter);
  if (const std::optional<Setting> fallback = settings.default_setting(name))
    sheet.add("default", or_empty(fallback->value));
  if (const std::optional<Setting> setting = settings.find(name)) {
    sheet.add("value",
              concat(or_empty(libconf::collapse_blanks(setting->value)), "  # ", to_string(setting->origin)));
    if (!libconf::is_raw(name)) add_expansion(sheet, settings, *setting, console);
  } else {
    sheet.add("value", "not set in main.cf");
  }
  add_services(sheet, **configuration, name);
  if (parameter != nullptr && !libconf::is_raw(name)) {
    const Result<std::string> value = settings.get(name);
    if (value)
      if (const auto error = libconf::check_value(*parameter, *value)) sheet.add("problem", error->message);
  }
  return 0;
}

}  // namespace postconf
