#include "tools/postconf/diff.h"

#include <map>

#include "libconf/text.h"
#include "tools/postconf/configuration.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::MasterField;
using libconf::PlacedService;
using libconf::Result;
using libconf::Settings;

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

/// Fields and -o options of all services, by "name/type/field" and "name/type -o option". The n-th service of
/// the same name and type is marked with "#n".
Values master_values(const Configuration& configuration) {
  Values out;
  std::map<std::string, int> seen;
  for (const PlacedService& placed : configuration.services()) {
    const libconf::MasterService& service = placed.service;
    std::string key = service.key();
    if (const int count = ++seen[key]; count > 1) key += concat("#", std::to_string(count));
    for (MasterField field : {MasterField::kPrivate, MasterField::kUnprivileged, MasterField::kChroot,
                              MasterField::kWakeup, MasterField::kProcessLimit, MasterField::kCommand})
      out[concat(key, "/", libconf::master_field_name(field))] = service.field(field);
    std::string other_arguments;
    bool is_option_value = false;
    for (const std::string& argument : service.arguments()) {
      if (!is_option_value && argument != "-o")
        other_arguments += concat(other_arguments.empty() ? "" : " ", argument);
      is_option_value = !is_option_value && argument == "-o";
    }
    if (!other_arguments.empty()) out[concat(key, "/arguments")] = other_arguments;
    for (const libconf::MasterOption& option : service.options())
      out[concat(key, " -o ", option.name)] = libconf::collapse_blanks(option.value);
  }
  return out;
}

class DiffPrinter {
 public:
  DiffPrinter(bool json, std::string& out) : json_(json), out_(out) {}

  bool found() const { return found_; }

  /// Compares the values of one file. `effective` tells the value of a name that a side does not set.
  template <class Effective>
  void compare(std::string_view file, const Values& before, const Values& after, const Effective& effective) {
    Values names = before;
    names.insert(after.begin(), after.end());
    for (const auto& [name, ignored] : names) {
      const auto a = before.find(name);
      const auto b = after.find(name);
      if (a != before.end() && b != after.end() && a->second == b->second) continue;
      print(file, name, a == before.end() ? nullptr : &a->second, b == after.end() ? nullptr : &b->second,
            effective(name));
    }
  }

 private:
  /// `fallback` is the default that holds on a side without the setting; empty: none is known.
  void print(std::string_view file, std::string_view name, const std::string* before,
             const std::string* after, const std::string& fallback) {
    found_ = true;
    if (json_) {
      const auto value = [](const std::string* text) {
        return text == nullptr ? "null" : libconf::json_quote(*text);
      };
      out_ += concat("{\"file\": ", libconf::json_quote(file), ", \"name\": ", libconf::json_quote(name),
                     ", \"before\": ", value(before), ", \"after\": ", value(after), "}\n");
      return;
    }
    if (file != last_file_) out_ += concat(last_file_.empty() ? "" : "\n", file, "\n");
    last_file_ = file;
    const auto line = [&](std::string_view mark, const std::string* text) {
      if (text != nullptr) {
        out_ += concat(mark, " ", name, " =", text->empty() ? "" : " ", *text, "\n");
      } else if (!fallback.empty()) {
        out_ += concat(mark, " ", name, " = ", fallback, "  # default\n");
      }
    };
    line("-", before);
    line("+", after);
  }

  bool json_;
  std::string& out_;
  bool found_ = false;
  std::string last_file_;
};

}  // namespace

Result<int> diff_directories(const Options& options, Console& console) {
  Options other = options;
  other.config_directory = options.diff;
  auto before = Configuration::load(options, Loading::kMainCf, false, console.warnings);
  if (!before) return before.error();
  auto after = Configuration::load(other, Loading::kMainCf, false, console.warnings);
  if (!after) return after.error();

  DiffPrinter printer(options.has('j'), console.out);
  const Settings defaults(nullptr, libconf::system_host());
  printer.compare("main.cf", main_values(**before), main_values(**after), [&](const std::string& name) {
    const auto setting = defaults.default_setting(name);
    return setting ? std::string(setting->value) : std::string();
  });
  printer.compare("master.cf", master_values(**before), master_values(**after),
                  [](const std::string&) { return std::string(); });
  return printer.found() ? 1 : 0;
}

}  // namespace postconf
