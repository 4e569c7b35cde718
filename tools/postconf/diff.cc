#include "tools/postconf/diff.h"

#include <map>
#include <optional>
#include <set>

#include "libconf/text.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::PlacedService;
using libconf::Result;

/// What a name stands for on one side; nothing: it is not set there.
using Values = std::map<std::string, std::string>;

/// Settings of main.cf, by name. The directory's own name is no difference.
Values main_values(const Configuration& configuration) {
  Values out;
  for (std::string_view name : configuration.settings().explicit_names()) {
    const libconf::Setting setting = *configuration.settings().explicit_setting(name);
    if (setting.origin.kind != libconf::OriginKind::kDirectory)
      out[std::string(name)] = libconf::collapse_blanks(setting.value);
  }
  return out;
}

/// Fields and -o options of all services: those of the n-th service of a name and type are marked with "#n".
struct ServiceValues {
  std::string entry;  ///< The whole entry on one line.
  Values values;      ///< By field name, or "-o NAME".
};
using Services = std::map<std::string, ServiceValues>;

Services service_values(const Configuration& configuration) {
  Services out;
  std::map<std::string, int> seen;
  for (const PlacedService& placed : configuration.services()) {
    const libconf::MasterService& service = placed.service;
    std::string key = service.key();
    if (const int count = ++seen[key]; count > 1) key += concat("#", std::to_string(count));
    ServiceValues& target = out[key];
    target.entry = service.text();
    for (MasterField field : {MasterField::kPrivate, MasterField::kUnprivileged, MasterField::kChroot,
                              MasterField::kWakeup, MasterField::kProcessLimit, MasterField::kCommand})
      target.values[concat("/", libconf::master_field_name(field))] = service.field(field);
    for (const libconf::MasterOption& option : service.options())
      target.values[concat(" -o ", option.name)] = libconf::collapse_blanks(option.value);
    if (const std::string arguments = service.other_arguments(); !arguments.empty())
      target.values["/arguments"] = arguments;
  }
  return out;
}

/// One side of a difference: a value, or what holds without one.
struct Side {
  const std::string* value = nullptr;        ///< Null: not set.
  std::optional<std::string> fallback = {};  ///< The default, when there is one.
};

class DiffPrinter {
 public:
  DiffPrinter(bool json, std::string& out) : json_(json), out_(out) {}

  bool found() const { return found_; }

  void print(std::string_view file, std::string_view name, const Side& before, const Side& after) {
    found_ = true;
    if (json_) {
      out_ += concat("{\"file\": ", libconf::json_quote(file), ", \"name\": ", libconf::json_quote(name));
      append_json("before", before);
      append_json("after", after);
      out_ += "}\n";
      return;
    }
    if (file != last_file_) out_ += concat(last_file_.empty() ? "" : "\n", file, "\n");
    last_file_ = file;
    append_text("-", name, before);
    append_text("+", name, after);
  }

 private:
  void append_json(std::string_view label, const Side& side) {
    out_ += concat(", \"", label, "\": ", side.value == nullptr ? "null" : libconf::json_quote(*side.value));
    if (side.value == nullptr && side.fallback)
      out_ += concat(", \"default_", label, "\": ", libconf::json_quote(*side.fallback));
  }

  void append_text(std::string_view mark, std::string_view name, const Side& side) {
    if (side.value == nullptr && !side.fallback) return;
    const std::string& value = side.value != nullptr ? *side.value : *side.fallback;
    out_ += concat(mark, " ", name, " =", value.empty() ? "" : " ", value,
                   side.value != nullptr ? "\n" : "  # default\n");
  }

  bool json_;
  std::string& out_;
  bool found_ = false;
  std::string last_file_;
};

const std::string* find(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

template <class Map>
std::set<std::string> names_of(const Map& a, const Map& b) {
  std::set<std::string> names;
  for (const Map* side : {&a, &b})
    for (const auto& [name, ignored] : *side) names.insert(name);
  return names;
}

Side main_side(const Configuration& configuration, const Values& values, const std::string& name) {
  Side side{find(values, name)};
  if (const auto fallback = configuration.settings().default_setting(name))
    side.fallback = libconf::collapse_blanks(fallback->value);
  return side;
}

void diff_main(const Configuration& before, const Configuration& after, DiffPrinter& printer) {
  const Values a = main_values(before), b = main_values(after);
  for (const std::string& name : names_of(a, b)) {
    const Side old_side = main_side(before, a, name), new_side = main_side(after, b, name);
    const auto effective = [](const Side& side) {
      return side.value != nullptr ? std::optional(*side.value) : side.fallback;
    };
    // A default that is written out changes nothing.
    if (effective(old_side) != effective(new_side)) printer.print("main.cf", name, old_side, new_side);
  }
}

void diff_master(const Configuration& before, const Configuration& after, DiffPrinter& printer) {
  const Services a = service_values(before), b = service_values(after);
  for (const std::string& key : names_of(a, b)) {
    const auto old_service = a.find(key), new_service = b.find(key);
    if (old_service == a.end() || new_service == b.end()) {
      printer.print("master.cf", key, {old_service == a.end() ? nullptr : &old_service->second.entry},
                    {new_service == b.end() ? nullptr : &new_service->second.entry});
      continue;
    }
    const Values& old_values = old_service->second.values;
    const Values& new_values = new_service->second.values;
    for (const std::string& name : names_of(old_values, new_values)) {
      const std::string *old_value = find(old_values, name), *new_value = find(new_values, name);
      const bool is_same = old_value != nullptr && new_value != nullptr && *old_value == *new_value;
      if (!is_same) printer.print("master.cf", concat(key, name), {old_value}, {new_value});
    }
  }
}

}  // namespace

Result<int> diff_directories(const Options& options, Console& console) {
  Options other = options;
  other.config_directory = options.diff;
  auto before = Configuration::load(options, Loading::kMainCf, console.warnings);
  if (!before) return before.error();
  auto after = Configuration::load(other, Loading::kMainCf, console.warnings);
  if (!after) return after.error();
  DiffPrinter printer(options.has('j'), console.out);
  diff_main(**before, **after, printer);
  diff_master(**before, **after, printer);
  return printer.found() ? 1 : 0;
}

}  // namespace postconf
