#include "tools/postlint/options.h"

#include <algorithm>
#include <array>

#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/cli/fatal.h"

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
    .usage = "usage: postlint [-c config_directory] [--option...] [file...]",
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

}  // namespace

Result<Options> read_options(const std::vector<std::string>& arguments) {
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return line.error();
  Options options{.operands = line->operands, .format = find_format("text")};
  for (const cli::Given& given : line->given) {
    const auto handler = std::find_if(std::begin(kHandlers), std::end(kHandlers),
                                      [&](const Handler& each) { return each.option == given.option->name; });
    if (Result<void> taken = handler->take(given.value, options); !taken) return taken.error();
  }
  return options;
}

std::string help_text() { return cli::help_text(kSyntax); }

}  // namespace postlint
