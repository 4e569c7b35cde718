#include "tools/postconf/show_main.h"

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::configuration_error;
using libconf::Error;
using libconf::ParameterClass;
using libconf::ParameterClasses;
using libconf::ParameterInventory;
using libconf::Result;
using libconf::Setting;
using libconf::Settings;

struct ClassName {
  std::string_view name;
  ParameterClasses classes;
};
constexpr ClassName kClassNames[] = {
    {"builtin", static_cast<ParameterClasses>(ParameterClass::kBuiltin)},
    {"service", static_cast<ParameterClasses>(ParameterClass::kService)},
    {"user", static_cast<ParameterClasses>(ParameterClass::kUser)},
    {"all", libconf::kAllClasses},
};

Result<ParameterClasses> parse_classes(std::string_view text) {
  ParameterClasses classes = 0;
  std::string_view rest = text;
  while (const auto word = libconf::next_word(rest, libconf::kListSeparators)) {
    ParameterClasses found = 0;
    for (const ClassName& row : kClassNames)
      if (row.name == *word) found = row.classes;
    if (found == 0)
      return configuration_error(concat("unknown -C option value \"", *word, "\" in \"", text, "\""));
    classes |= found;
  }
  return classes;
}

/// The names to show: those given, or all of the wanted classes. Unknown ones are warned of.
Result<std::vector<std::string_view>> names_to_show(const Options& options,
                                                    const ParameterInventory& inventory, Console& console) {
  if (options.arguments.empty()) {
    const Result<ParameterClasses> classes =
        options.has('C') ? parse_classes(options.classes) : Result<ParameterClasses>(libconf::kAllClasses);
    if (!classes) return classes.error();
    return inventory.names(*classes);
  }
  std::vector<std::string_view> names;
  for (const std::string& name : options.arguments) {
    if (inventory.class_of(name))
      names.push_back(name);
    else
      console.warnings.warn("unknown-parameter", concat(name, ": unknown parameter"));
  }
  return names;
}

/// The setting that the user wants to see of `name`: with -d a default, with -n an explicit one or nothing.
std::optional<Setting> setting_to_show(const Options& options, const Settings& settings,
                                       std::string_view name) {
  if (options.has('n')) return settings.explicit_setting(name);
  const std::optional<Setting> setting =
      options.has('d') ? settings.default_setting(name) : settings.find(name);
  return setting ? setting : Setting{};
}

}  // namespace

std::vector<std::string> class_names() {
  std::vector<std::string> names;
  for (const ClassName& each : kClassNames) names.emplace_back(each.name);
  return names;
}

Result<int> show_main(const Options& options, Console& console) {
  const bool defaults_only = options.has('d');
  if (options.has('C'))
    if (Result<ParameterClasses> classes = parse_classes(options.classes); !classes) return classes.error();
  auto configuration =
      Configuration::load(options, defaults_only ? Loading::kDefaults : Loading::kMainCf, console.warnings);
  if (!configuration) return configuration.error();
  const Settings& settings = (*configuration)->settings();
  Result<ParameterInventory> inventory =
      defaults_only ? ParameterInventory::defaults(settings) : (*configuration)->inventory(console.warnings);
  if (!inventory) return inventory.error();
  const auto names = names_to_show(options, *inventory, console);
  if (!names) return names.error();

  const Format format = Format::of(options);
  for (std::string_view name : *names) {
    std::optional<Setting> setting = setting_to_show(options, settings, name);
    if (setting && setting->origin.kind == libconf::OriginKind::kDirectory &&
        (*configuration)->hides_directory())
      setting = options.has('n') ? std::nullopt : settings.default_setting(name);
    if (settings.host_error()) return *settings.host_error();
    if (!setting) continue;
    if (!options.has('x') || libconf::is_raw(name)) {
      append_setting(console.out, name, setting->value, format);
      continue;
    }
    Result<std::string> value = settings.expand_text(setting->value, console.warnings);
    if (!value) return value.error();
    append_setting(console.out, name, *value, format);
  }
  inventory->report(false, console.warnings);
  return 0;
}

namespace {

Error no_such_service(const Configuration& configuration, std::string_view name) {
  return configuration_error(concat(configuration.directory().master_cf(), " has no service ", name,
                                    " (give it as name/type; postconf -M lists the services)"));
}

/// The last service called NAME/TYPE: where there are several, Postfix runs that one's settings.
const libconf::PlacedService* find_service(const Configuration& configuration, std::string_view name) {
  const libconf::PlacedService* found = nullptr;
  for (const libconf::PlacedService& service : configuration.services())
    if (service.service.key() == name) found = &service;
  return found;
}

std::string_view origin_word(libconf::OriginKind kind) {
  switch (kind) {
    case libconf::OriginKind::kDefault:
    case libconf::OriginKind::kHost:
      return "default";
    case libconf::OriginKind::kDirectory:
      return "command-line";
    case libconf::OriginKind::kMainCf:
      return "main.cf";
    case libconf::OriginKind::kOverride:
      return "override";
    case libconf::OriginKind::kServiceEntry:
    case libconf::OriginKind::kServiceOption:
      return "master.cf";
  }
  return "";
}

struct OriginLine {
  std::string setting;
  std::string origin;
};

void append_json_origin(std::string& out, std::string_view name, std::string_view value,
                        const libconf::Origin& origin) {
  out += concat("{\"name\": ", libconf::json_quote(name), ", \"value\": ", libconf::json_quote(value),
                ", \"set_by\": ", libconf::json_quote(origin_word(origin.kind)));
  if (origin.line != 0)
    out +=
        concat(", \"file\": ", libconf::json_quote(origin.file), ", \"line\": ", std::to_string(origin.line));
  out += "}\n";
}

/// The origins stand in one column where that leaves them readable.
void append_aligned(std::string& out, const std::vector<OriginLine>& lines) {
  constexpr std::size_t kWidestColumn = 60;
  std::size_t column = 0;
  for (const OriginLine& line : lines)
    if (line.setting.size() <= kWidestColumn) column = std::max(column, line.setting.size());
  for (const OriginLine& line : lines) {
    out += line.setting;
    if (line.setting.size() < column) out.append(column - line.setting.size(), ' ');
    out += concat("  # ", line.origin, "\n");
  }
}

}  // namespace

Result<int> show_origins(const Options& options, Console& console) {
  auto configuration =
      Configuration::load(options, options.service ? Loading::kMasterCf : Loading::kMainCf, console.warnings);
  if (!configuration) return configuration.error();
  Result<ParameterInventory> inventory = (*configuration)->inventory(console.warnings);
  if (!inventory) return inventory.error();

  const libconf::PlacedService* service = nullptr;
  if (options.service) {
    service = find_service(**configuration, *options.service);
    if (service == nullptr) return no_such_service(**configuration, *options.service);
  }
  const Settings settings =
      service != nullptr ? (*configuration)->settings_of(*service) : (*configuration)->settings();
  Result<std::vector<std::string_view>> names = names_to_show(options, *inventory, console);
  if (!names) return names.error();
  // A service may set names of its own.
  if (service != nullptr && options.arguments.empty()) {
    for (std::string_view name : settings.explicit_names()) names->push_back(name);
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
  }

  std::vector<OriginLine> lines;
  Format format = Format::of(options);
  format.fold = false;
  for (std::string_view name : *names) {
    const std::optional<Setting> setting = setting_to_show(options, settings, name);
    if (settings.host_error()) return *settings.host_error();
    if (!setting) continue;
    std::string value(setting->value);
    if (options.has('x') && !libconf::is_raw(name)) {
      Result<std::string> expanded = settings.expand_text(setting->value, console.warnings);
      if (!expanded) return expanded.error();
      value = *expanded;
    }
    if (format.json) {
      append_json_origin(console.out, name, value, setting->origin);
      continue;
    }
    OriginLine line{{}, to_string(setting->origin)};
    append_setting(line.setting, name, value, format);
    line.setting.pop_back();
    lines.push_back(std::move(line));
  }
  append_aligned(console.out, lines);
  inventory->report(false, console.warnings);
  return 0;
}

}  // namespace postconf
