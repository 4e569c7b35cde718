#include "tools/postlint/options.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "libconf/file.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/cli/fatal.h"
#include "tools/postlint/json_reader.h"

namespace postlint {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Result;

constexpr std::array<std::string_view, 4> kGroups = {"What is audited", "Rules", "Output", "Information"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf and master.cf; also: MAIL_CONFIG"},
    {'\0', "root", "DIR", 0, "Audit the tree below DIR as if it were /"},
    {'\0', "profile", "PROFILE", 0, "What the host is for: null-client, mx, submission, relay (guessed)"},
    {'\0', "target", "RELEASE", 0, "The release of Postfix that is to read it, such as 3.7"},
    {'\0', "select", "RULES", 1, "Only these rules, or groups of rules, whatever the profile"},
    {'\0', "ignore", "RULES", 1, "Not these rules, or groups of rules"},
    {'\0', "severity", "RULE=LEVEL", 1, "Another severity for a rule: error, warning, info"},
    {'\0', "fail-level", "LEVEL", 1, "Exit with 1 for findings of this severity or a higher one (error)"},
    {'\0', "config", "FILE", 1, "A file of such settings (.postlint.json)"},
    {'\0', "baseline", "FILE", 1, "Leave out the findings that FILE lists"},
    {'\0', "update-baseline", "", 1, "Remove from the baseline what is mended; make one where there is none"},
    {'\0', "fix", "", 2, "Mend what can be mended safely, and report the rest"},
    {'\0', "diff", "", 2, "Show what --fix would change, and change nothing"},
    {'\0', "format", "FORMAT", 2, "text, jsonl, sarif, junit, checkstyle, github, gitlab, html (text)"},
    {'\0', "color", "WHEN", 2, "Colours: auto, always, never (auto)"},
    {'\0', "list-rules", "", 3, "List all rules: id, severity, summary"},
    {'\0', "explain", "RULE", 3, "Show what a rule is about, and how to mend what it finds"},
    {'\0', "version", "", 3, "Show the version"},
    {'\0', "help", "", 3, "Show this text"},
};
constexpr cli::Syntax kSyntax = {
    .program = "postlint",
    .description = "Finds mistakes in the configuration of a Postfix mail system.",
    .usage = "usage: postlint [-c config_directory] [option...] [file...]",
    .footer = "See postlint(1).",
    .options = kOptions,
    .groups = kGroups,
};

/// Takes one option. Errors: its value is not understood.
using Take = Result<void> (*)(const std::string& value, Options& options);

Result<void> add_rules(const std::string& value, std::vector<std::string>& out) {
  for (std::string& name : libconf::parse_list(value)) {
    const bool is_known = std::any_of(all_rules().begin(), all_rules().end(), [&](const Rule& rule) {
      return name == rule.id || name == rule.group;
    });
    if (!is_known)
      return fatal(concat("no such rule or group of rules: ", name, " (--list-rules lists them)"));
    out.push_back(std::move(name));
  }
  return {};
}

Result<Severity> read_severity(std::string_view text) {
  const std::optional<Severity> severity = find_severity(text);
  if (!severity) return fatal(concat("no such severity: ", text, " (error, warning, info)"));
  return *severity;
}

Result<void> take_severity(const std::string& value, Options& options) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos) return fatal(concat("--severity needs RULE=LEVEL: ", value));
  const std::string name = value.substr(0, equals);
  if (find_rule(name) == nullptr) return fatal(concat("no such rule: ", name, " (--list-rules lists them)"));
  const Result<Severity> severity = read_severity(std::string_view(value).substr(equals + 1));
  if (!severity) return severity.error();
  options.choice.severities[name] = *severity;
  return {};
}

Result<void> take_colour(const std::string& value, Options& options) {
  constexpr std::array<std::string_view, 3> kChoices = {"auto", "always", "never"};
  const auto found = std::find(kChoices.begin(), kChoices.end(), value);
  if (found == kChoices.end()) return fatal(concat("--color takes auto, always or never: ", value));
  options.colour = static_cast<ColourChoice>(found - kChoices.begin());
  return {};
}

struct Handler {
  std::string_view option;
  Take take;
};
constexpr Handler kHandlers[] = {
    {"config-directory",
     [](const std::string& value, Options& options) -> Result<void> {
       options.config_directory = value;
       return {};
     }},
    {"root",
     [](const std::string& value, Options& options) -> Result<void> {
       options.root = value;
       return {};
     }},
    {"profile",
     [](const std::string& value, Options& options) -> Result<void> {
       options.profile = find_profile(value);
       if (!options.profile)
         return fatal(concat("no such profile: ", value, " (null-client, mx, submission, relay)"));
       return {};
     }},
    {"target",
     [](const std::string& value, Options& options) -> Result<void> {
       const std::optional<Version> version = parse_version(value, kNewestVersion.patch);
       if (!version) return fatal(concat("no release of Postfix: ", value));
       options.target = *version;
       return {};
     }},
    {"select",
     [](const std::string& value, Options& options) { return add_rules(value, options.choice.selected); }},
    {"ignore",
     [](const std::string& value, Options& options) { return add_rules(value, options.choice.ignored); }},
    {"severity", take_severity},
    {"fail-level",
     [](const std::string& value, Options& options) -> Result<void> {
       const Result<Severity> severity = read_severity(value);
       if (!severity) return severity.error();
       options.fail_level = *severity;
       return {};
     }},
    {"format",
     [](const std::string& value, Options& options) -> Result<void> {
       options.format = find_format(value);
       if (options.format == nullptr) return fatal(concat("no such format: ", value));
       return {};
     }},
    {"color", take_colour},
    {"config", [](const std::string&, Options&) -> Result<void> { return {}; }},  // It has been read first.
    {"baseline",
     [](const std::string& value, Options& options) -> Result<void> {
       options.baseline = value;
       return {};
     }},
    {"update-baseline",
     [](const std::string&, Options& options) -> Result<void> {
       options.updates_baseline = true;
       return {};
     }},
    {"fix",
     [](const std::string&, Options& options) -> Result<void> {
       options.applies_fixes = true;
       return {};
     }},
    {"diff",
     [](const std::string&, Options& options) -> Result<void> {
       options.shows_diff = true;
       return {};
     }},
    {"list-rules",
     [](const std::string&, Options& options) -> Result<void> {
       options.lists_rules = true;
       return {};
     }},
    {"explain",
     [](const std::string& value, Options& options) -> Result<void> {
       if (find_rule(value) == nullptr)
         return fatal(concat("no such rule: ", value, " (--list-rules lists them)"));
       options.explained = value;
       return {};
     }},
    {"version",
     [](const std::string&, Options& options) -> Result<void> {
       options.shows_version = true;
       return {};
     }},
    {"help",
     [](const std::string&, Options& options) -> Result<void> {
       options.shows_help = true;
       return {};
     }},
};

const Handler& handler_of(std::string_view option) {
  return *std::find_if(std::begin(kHandlers), std::end(kHandlers),
                       [&](const Handler& each) { return each.option == option; });
}

/// How a member of the settings file is said as an option; its values are taken one by one.
struct Member {
  std::string_view name;
  std::string_view option;
};
constexpr Member kMembers[] = {
    {"baseline", "baseline"}, {"fail_level", "fail-level"}, {"ignore", "ignore"}, {"profile", "profile"},
    {"select", "select"},     {"severity", "severity"},     {"target", "target"},
};

/// The texts of a member: a string, those of an array, "NAME=TEXT" of an object. Nothing: it is none of
/// these.
std::optional<std::vector<std::string>> texts_of(const JsonValue& value) {
  std::vector<std::string> out;
  if (const std::string* text = value.string()) {
    out.push_back(*text);
  } else if (const JsonValue::Array* items = value.array()) {
    for (const JsonValue& item : *items) {
      if (item.string() == nullptr) return std::nullopt;
      out.push_back(*item.string());
    }
  } else if (const JsonValue::Object* members = value.object()) {
    for (const auto& [name, member] : *members) {
      if (member.string() == nullptr) return std::nullopt;
      out.push_back(concat(name, "=", *member.string()));
    }
  } else {
    return std::nullopt;
  }
  return out;
}

Result<void> take_member(std::string_view name, const JsonValue& value, const std::string& file,
                         Options& options) {
  if (name == "$schema") return {};
  const auto member = std::find_if(std::begin(kMembers), std::end(kMembers),
                                   [&](const Member& each) { return each.name == name; });
  if (member == std::end(kMembers)) return fatal(concat(file, ": no such setting: ", name));
  const std::optional<std::vector<std::string>> texts = texts_of(value);
  if (!texts) return fatal(concat(file, ": bad value of ", name));
  for (const std::string& text : *texts)
    if (Result<void> taken = handler_of(member->option).take(text, options); !taken)
      return fatal(concat(file, ": ", taken.error().message));
  return {};
}

Result<void> read_settings_file(const std::string& file, Options& options) {
  const Result<std::string> text = libconf::read_file(file);
  if (!text) return text.error();
  const Result<JsonValue> value = parse_json(*text, file);
  if (!value) return value.error();
  if (value->object() == nullptr) return fatal(concat(file, ": no object"));
  for (const auto& [name, member] : *value->object())
    if (Result<void> taken = take_member(name, member, file, options); !taken) return taken;
  return {};
}

}  // namespace

Result<Options> read_options(const std::vector<std::string>& arguments) {
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return line.error();
  Options options{.operands = line->operands, .format = find_format("text")};
  constexpr std::string_view kSettingsFile = ".postlint.json";
  const std::optional<std::string> config = line->value("config");
  std::error_code failed;
  if (config || std::filesystem::exists(kSettingsFile, failed))
    if (Result<void> read = read_settings_file(config.value_or(std::string(kSettingsFile)), options); !read)
      return read.error();
  for (const cli::Given& given : line->given)
    if (Result<void> taken = handler_of(given.option->name).take(given.value, options); !taken)
      return taken.error();
  const bool reads_input =
      std::find(options.operands.begin(), options.operands.end(), "-") != options.operands.end();
  if (options.applies_fixes && reads_input) return fatal("--fix cannot change standard input");
  if (options.updates_baseline && !options.baseline) return fatal("--update-baseline needs --baseline FILE");
  return options;
}

std::string help_text() { return cli::help_text(kSyntax); }

}  // namespace postlint
