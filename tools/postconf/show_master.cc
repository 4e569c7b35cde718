#include "tools/postconf/show_master.h"

#include <map>

#include "libconf/text.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::MasterService;
using libconf::ParameterInventory;
using libconf::PlacedService;
using libconf::Result;
using libconf::Settings;

/// service[/type[/member]]: what stands behind is empty or "*" for all.
struct Pattern {
  std::string text;
  std::string service;
  std::string type = "*";
  std::string member = "*";
  bool is_used = false;
};

/// Splits at slashes. Nothing: too many parts, no service, or a '*' inside a longer name.
std::optional<Pattern> parse_pattern(const std::string& text, std::size_t most_parts) {
  Pattern pattern{.text = text};
  std::string* const parts[] = {&pattern.service, &pattern.type, &pattern.member};
  std::string_view rest = text;
  for (std::size_t i = 0;; ++i) {
    if (i == most_parts) return std::nullopt;
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    const bool is_last = slash == std::string_view::npos;
    if (part.size() > 1 && part.find('*') != std::string_view::npos) return std::nullopt;
    // An empty part at the end means all; one in the middle is a name that nothing has.
    if (!part.empty() || !is_last) *parts[i] = part;
    if (is_last) break;
    rest.remove_prefix(slash + 1);
  }
  if (pattern.service.empty()) return std::nullopt;
  return pattern;
}

/// -M, -F and -P differ in what they print of a service.
class MasterView {
 public:
  MasterView(const Options& options, const Configuration& configuration, const ParameterInventory& inventory,
             Console& console)
      : options_(options),
        format_(Format::of(options)),
        configuration_(configuration),
        inventory_(inventory),
        console_(console) {}

  Result<int> run() {
    Result<std::vector<Pattern>> patterns = parse_patterns();
    if (!patterns) return patterns.error();
    for (const PlacedService& service : configuration_.services()) {
      for (Pattern& pattern : *patterns) {
        if (!service.service.matches(pattern.service, pattern.type)) continue;
        Result<bool> shown = show(service, pattern.member);
        if (!shown) return shown.error();
        pattern.is_used |= *shown;
      }
    }
    for (const Pattern& pattern : *patterns)
      if (!pattern.is_used && !options_.arguments.empty())
        console_.warnings.warn("unmatched-request", concat("unmatched request: \"", pattern.text, "\""));
    return 0;
  }

 private:
  Result<std::vector<Pattern>> parse_patterns() const {
    const auto bad = [](std::string_view message) {
      return libconf::configuration_error(std::string(message));
    };
    std::vector<Pattern> patterns;
    for (const std::string& argument : options_.arguments) {
      std::optional<Pattern> pattern = parse_pattern(argument, options_.has('M') ? 2 : 3);
      if (!pattern && options_.has('M')) return bad("-M option requires service_name[/type]");
      if (!pattern && options_.has('F')) return bad("-F option requires service_name[/type[/field]]");
      if (!pattern) return bad("-P option requires service_name[/type[/parameter]]");
      if (options_.has('F') && pattern->member != "*" && !libconf::find_master_field(pattern->member))
        return bad(concat("invalid service attribute name: \"", pattern->member, "\""));
      patterns.push_back(std::move(*pattern));
    }
    if (patterns.empty()) patterns.push_back({.text = {}, .service = "*"});
    return patterns;
  }

  Result<bool> show(const PlacedService& service, std::string_view member) {
    if (options_.has('P')) return show_parameters(service, member);
    Result<MasterService> shown = service.service;
    if (options_.has('x')) shown = expanded(service);
    if (!shown) return shown.error();
    if (options_.has('F')) return show_fields(*shown, member);
    if (format_.json)
      append_setting(console_.out, shown->key(), shown->text(), format_);
    else
      console_.out += shown->columns(format_.fold) + "\n";
    return true;
  }

  Result<MasterService> expanded(const PlacedService& service) {
    const Settings settings = configuration_.settings_of(service);
    return service.service.with_options([&](std::string_view, std::string_view value) {
      return settings.expand_text(value, console_.warnings);
    });
  }

  bool show_fields(const MasterService& service, std::string_view member) {
    for (std::size_t i = 0; i < libconf::kMasterFieldCount; ++i) {
      const auto field = static_cast<MasterField>(i);
      const std::string_view field_name = libconf::master_field_name(field);
      if (member != "*" && member != field_name) continue;
      const std::string name = concat(service.key(), "/", field_name);
      if (field != MasterField::kCommand) {
        append_setting(console_.out, name, service.field(field), format_);
      } else if (format_.json || format_.names_only) {
        append_setting(console_.out, name, service.command_text(), format_);
      } else {
        // A command keeps the blanks inside its arguments, so it is not printed as a value is.
        const std::string head = format_.values_only ? "" : concat(name, " =");
        console_.out += format_.fold ? service.folded_command(head)
                                     : concat(head, head.empty() ? "" : " ", service.command_text());
        console_.out += '\n';
      }
    }
    return true;
  }

  Result<bool> show_parameters(const PlacedService& service, std::string_view member) {
    std::map<std::string, std::string> values;
    const Settings settings = configuration_.settings_of(service);
    for (std::string_view name : settings.explicit_names()) {
      const libconf::Setting setting = *settings.explicit_setting(name);
      const bool is_option = setting.origin.kind == libconf::OriginKind::kServiceOption;
      if (is_option && (member == "*" || member == name)) values[std::string(name)] = setting.value;
    }
    if (options_.count('P') > 1) {
      if (member == "*") {
        for (std::string_view name : inventory_.names(libconf::kAllClasses))
          values.try_emplace(std::string(name), settings.value_of(name).value_or(""));
      } else if (inventory_.class_of(member)) {
        values.try_emplace(std::string(member), settings.value_of(member).value_or(""));
      }
    }
    for (auto& [name, value] : values) {
      if (options_.has('x')) {
        Result<std::string> text = settings.expand_text(value, console_.warnings);
        if (!text) return text.error();
        value = *text;
      }
      append_setting(console_.out, concat(service.service.key(), "/", name), value, format_);
    }
    return !values.empty();
  }

  const Options& options_;
  Format format_;
  const Configuration& configuration_;
  const ParameterInventory& inventory_;
  Console& console_;
};

}  // namespace

Result<int> show_master(const Options& options, Console& console) {
  auto configuration = Configuration::load(options, Loading::kMasterCf, console.warnings);
  if (!configuration) return configuration.error();
  Result<ParameterInventory> inventory = (*configuration)->inventory(console.warnings);
  if (!inventory) return inventory.error();
  Result<int> status = MasterView(options, **configuration, *inventory, console).run();
  if (status) inventory->report(true, console.warnings);
  return status;
}

}  // namespace postconf
