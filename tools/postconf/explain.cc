#include "tools/postconf/explain.h"

#include <algorithm>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
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

void add_table_facts(FactSheet& sheet, const Parameter& parameter) {
  sheet.add("type", type_name(parameter.type));
  const bool is_text = parameter.type == libconf::ParameterType::kString ||
                       parameter.type == libconf::ParameterType::kRaw ||
                       parameter.type == libconf::ParameterType::kComputed;
  std::string limits;
  if (parameter.min != 0) limits = concat("at least ", std::to_string(parameter.min));
  if (parameter.max != 0)
    limits += concat(limits.empty() ? "" : ", ", "at most ", std::to_string(parameter.max));
  if (!limits.empty())
    sheet.add("limits", concat(limits, is_text ? " characters" : "",
                               parameter.type == libconf::ParameterType::kTime ? " seconds" : ""));
  sheet.add("since", parameter.since.empty() ? std::string("before Postfix 2.0")
                                             : concat("Postfix ", parameter.since));
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

std::string nearest_name(std::string_view wanted, const std::vector<std::string_view>& names) {
  std::string_view best;
  std::size_t best_distance = wanted.size() / 3 + 1;
  for (std::string_view name : names) {
    // Levenshtein distance, one row at a time.
    std::vector<std::size_t> row(name.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= wanted.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t substitute = diagonal + (wanted[i - 1] != name[j - 1]);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
      }
    }
    if (row.back() <= best_distance) {
      best_distance = row.back();
      best = name;
    }
  }
  return std::string(best);
}

}  // namespace

Result<int> explain_parameter(const Options& options, Console& console) {
  const std::string& name = *options.explain;
  auto configuration = Configuration::load(options, Loading::kMainCf, false, console.warnings);
  if (!configuration) return configuration.error();
  libconf::DiagnosticDiscard discard;
  Result<libconf::ParameterInventory> inventory = (*configuration)->inventory(discard);
  if (!inventory) return inventory.error();
  const Settings& settings = (*configuration)->settings();
  const std::optional<ParameterClass> parameter_class = inventory->class_of(name);
  const Parameter* parameter = libconf::find_parameter(name);
  if (!parameter_class && (parameter == nullptr || !settings.explicit_setting(name))) {
    const std::string nearest = nearest_name(name, inventory->names(libconf::kAllClasses));
    return libconf::Error{.kind = libconf::ErrorKind::kConfiguration,
                          .message = concat(name, ": unknown parameter",
                                            nearest.empty() ? "" : concat("; did you mean ", nearest, "?"))};
  }

  console.out += name + "\n";
  FactSheet sheet(console.out);
  if (parameter_class) sheet.add("class", class_word(*parameter_class));
  if (parameter != nullptr) add_table_facts(sheet, *parameter);
  if (const std::optional<Setting> fallback = settings.default_setting(name))
    sheet.add("default", or_empty(fallback->value));
  const Setting setting = settings.find(name).value_or(Setting{});
  sheet.add("value",
            concat(or_empty(libconf::collapse_blanks(setting.value)), "  # ", to_string(setting.origin)));
  const bool is_raw = parameter != nullptr && parameter->type == libconf::ParameterType::kRaw;
  if (!is_raw) add_expansion(sheet, settings, setting, console);
  add_services(sheet, **configuration, name);
  if (parameter != nullptr && !is_raw) {
    const Result<std::string> value = settings.get(name);
    if (value)
      if (const auto error = libconf::check_value(*parameter, *value)) sheet.add("problem", error->message);
  }
  return 0;
}

}  // namespace postconf
