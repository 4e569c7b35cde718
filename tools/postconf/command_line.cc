#include "tools/postconf/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "libconf/text.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::Result;

enum class Group { kMainCf, kEdit, kMasterCf, kOther, kBeyond };

constexpr std::array<std::string_view, 5> kGroupTitles = {
    "Show main.cf", "Edit main.cf or master.cf", "Show or edit master.cf", "Other", "Beyond Postfix"};

using Flag = bool Options::*;
using Text = std::optional<std::string> Options::*;

/// One option. Each has a long name; `letter` is Postfix's name for it, or '\0'.
struct OptionRow {
  char letter;
  std::string_view name;
  std::string_view argument;  ///< Its placeholder; empty: a flag.
  Group group;
  std::string_view help;
  Flag flag = nullptr;  ///< Where a long option without argument is noted; letters are counted.
  Text text = nullptr;  ///< Where the last argument goes.
};

constexpr OptionRow kOptions[] = {
    {'d', "defaults", "", Group::kMainCf, "Show defaults instead of actual settings"},
    {'n', "non-default", "", Group::kMainCf, "Show only what main.cf sets"},
    {'C', "class", "CLASS,...", Group::kMainCf,
     "Only parameters of these classes: builtin, service, user, all"},
    {'o', "override", "NAME=VALUE", Group::kMainCf, "Override a setting of main.cf for this run"},
    {'x', "expand", "", Group::kMainCf, "Expand $name in values"},
    {'f', "fold", "", Group::kMainCf, "Fold long lines"},
    {'h', "no-names", "", Group::kMainCf, "Show values without names"},
    {'H', "no-values", "", Group::kMainCf, "Show names without values"},
    {'j', "json", "", Group::kMainCf, "Show JSON, one object a line"},
    {'p', "main", "", Group::kMainCf, "Show or edit main.cf; this is the default"},
    {'q', "quiet", "", Group::kMainCf, "No warnings of unused and deprecated parameters"},
    {'e', "edit", "", Group::kEdit, "Edit; implied when the first argument is name=value"},
    {'X', "exclude", "", Group::kEdit, "Remove settings"},
    {'#', "comment-out", "", Group::kEdit, "Comment out settings; in short: -#"},
    {'M', "master", "", Group::kMasterCf, "Entries: service[/type], or service/type=entry"},
    {'F', "fields", "", Group::kMasterCf, "Fields: service[/type[/field]], or service/type/field=value"},
    {'P', "parameters", "", Group::kMasterCf,
     "-o options: service[/type[/name]], or service/type/name=value; twice: inherited settings too"},
    {'a', "sasl-server-types", "", Group::kOther, "List SASL plug-in types of the SMTP server"},
    {'A', "sasl-client-types", "", Group::kOther, "List SASL plug-in types of the SMTP client"},
    {'b', "bounce-text", "", Group::kOther, "Show the bounce texts, expanded"},
    {'t', "bounce-templates", "", Group::kOther, "Show the bounce templates"},
    {'l', "lock-types", "", Group::kOther, "List mailbox locking methods"},
    {'m', "map-types", "", Group::kOther, "List lookup table types"},
    {'T', "tls", "MODE", Group::kOther, "compile-version, run-version or public-key-algorithms"},
    {'c', "config-directory", "DIR", Group::kOther,
     "The directory of main.cf and master.cf; also: MAIL_CONFIG", nullptr, &Options::config_directory},
    {'v', "verbose", "", Group::kOther, "Accepted for compatibility"},
    {'\0', "origin", "", Group::kBeyond, "With each setting, the file and line that set it",
     &Options::origin},
    {'\0', "explain", "NAME", Group::kBeyond,
     "All about one parameter: class, limits, value, expansion, services", nullptr, &Options::explain},
    {'\0', "service", "NAME/TYPE", Group::kBeyond,
     "The settings as one master.cf service sees them, with origins", nullptr, &Options::service},
    {'\0', "check", "", Group::kBeyond, "Print diagnostics only; status 1 when there is an error",
     &Options::check},
    {'\0', "diff", "DIR", Group::kBeyond,
     "Compare with another configuration directory; status 1 where they differ", nullptr, &Options::diff},
    {'\0', "dry-run", "", Group::kBeyond,
     "With an edit: print the difference it would make, and touch nothing", &Options::dry_run},
    {'\0', "strict", "", Group::kBeyond, "With an edit: refuse unknown names and values of the wrong kind",
     &Options::strict},
    {'\0', "changed", "", Group::kBeyond,
     "With an edit: status 10 when it changed the file, 0 when it did not", &Options::changed},
    {'\0', "help", "", Group::kBeyond, "Print this help", &Options::help},
    {'\0', "version", "", Group::kBeyond, "Print the version", &Options::version},
};

/// What Postfix prints for a mistyped option; scripts and people know it.
constexpr std::string_view kUsage =
    "usage: postconf [-a (server SASL types)] [-A (client SASL types)] [-b (bounce templates)] [-c "
    "config_dir] "
    "[-c param_class] [-d (parameter defaults)] [-e (edit configuration)] [-f (fold lines)] [-F (master.cf "
    "fields)] "
    "[-h (no names)] [-H (no values)] [-j (streaming JSON) ] [-l (lock types)] [-m (map types)] [-M "
    "(master.cf)] "
    "[-n (non-default parameters)] [-o name=value (override parameter value)] [-p (main.cf, default)] "
    "[-P (master.cf parameters)] [-t (bounce templates)] [-T "
    "compile-version|run-version|public-key-algorithms] "
    "[-v (verbose)] [-x (expand parameter values)] [-X (exclude)] [-# (comment-out)] [name...]";

/// Letters that exclude one another, in the order in which a message names them. Earlier rows are checked
/// first.
constexpr std::array<std::string_view, 21> kExclusive = {
    "aAbFlmMpPtT", "denX#", "hH", "do", "eo", "oX", "o#", "ef", "eh", "eH", "ex",
    "fX",          "f#",    "hX", "h#", "HX", "H#", "xX", "x#", "jX", "j#"};

/// Letters that mean nothing together with another one.
struct Refusal {
  char with;
  std::string_view letters;
};
constexpr Refusal kRefusals[] = {{'M', "dhHn"},       {'F', "dn#X"},       {'P', "dn#"},
                                 {'j', "efhH"},       {'a', "defhHnoxX#"}, {'A', "defhHnoxX#"},
                                 {'b', "defhHnoxX#"}, {'l', "defhHnoxX#"}, {'m', "defhHnoxX#"},
                                 {'t', "defhHnoxX#"}, {'T', "defhHnoxX#"}};

Error fatal(std::string message) {
  return {.kind = ErrorKind::kConfiguration, .message = std::move(message)};
}

const OptionRow* find_letter(char letter) {
  const auto* row = std::find_if(std::begin(kOptions), std::end(kOptions),
                                 [&](const OptionRow& r) { return r.letter == letter && letter != '\0'; });
  return row == std::end(kOptions) ? nullptr : row;
}

const OptionRow* find_name(std::string_view name) {
  const auto* row = std::find_if(std::begin(kOptions), std::end(kOptions),
                                 [&](const OptionRow& r) { return r.name == name; });
  return row == std::end(kOptions) ? nullptr : row;
}

/// Splits the command line as POSIX getopt() does: clusters of letters, values glued on or in the next
/// argument. What comes out is for CLI11, which knows neither `-#` nor when Postfix stops looking for
/// options.
class Splitter {
 public:
  explicit Splitter(std::span<const std::string> arguments) : arguments_(arguments) {}

  std::vector<std::string> long_options;  ///< "--name", or "--name" and its value.
  std::vector<std::string> operands;

  std::optional<Error> split() {
    bool only_long = false;  // Behind the first operand.
    for (; next_ < arguments_.size(); ++next_) {
      const std::string& argument = arguments_[next_];
      if (argument == "--") {
        operands.insert(operands.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(next_) + 1,
                        arguments_.end());
        break;
      }
      if (argument.starts_with("--")) {
        if (std::optional<Error> error = add_long(argument.substr(2))) return error;
      } else if (!only_long && argument.size() > 1 && argument[0] == '-') {
        if (std::optional<Error> error = add_cluster(argument)) return error;
      } else {
        operands.push_back(argument);
        only_long = true;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<Error> add_cluster(const std::string& argument) {
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const OptionRow* row = find_letter(argument[i]);
      if (row == nullptr) return usage(concat("invalid option -- '", std::string(1, argument[i]), "'"));
      long_options.push_back(concat("--", row->name));
      if (row->argument.empty()) continue;
      if (i + 1 < argument.size()) {
        long_options.push_back(argument.substr(i + 1));
      } else if (next_ + 1 < arguments_.size()) {
        long_options.push_back(arguments_[++next_]);
      } else {
        return usage(concat("option requires an argument -- '", std::string(1, row->letter), "'"));
      }
      return std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<Error> add_long(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const OptionRow* row = find_name(name);
    if (row == nullptr) return fatal(concat("unknown option --", name, " (postconf --help lists them)"));
    long_options.push_back(concat("--", name));
    if (equals != std::string_view::npos) {
      if (row->argument.empty()) return fatal(concat("option --", name, " takes no value"));
      long_options.emplace_back(text.substr(equals + 1));
    } else if (!row->argument.empty()) {
      if (next_ + 1 == arguments_.size())
        return fatal(concat("option --", name, " requires ", row->argument));
      long_options.push_back(arguments_[++next_]);
    }
    return std::nullopt;
  }

  static Error usage(std::string_view complaint) { return fatal(concat(complaint, "\n", kUsage)); }

  std::span<const std::string> arguments_;
  std::size_t next_ = 0;
};

/// Declares the rows of kOptions, and where their values go: those that `given` names, or all for the help
/// text. To declare all of them takes longer than to read a typical main.cf.
void declare_options(CLI::App& app, const std::vector<std::string>& given, bool all, Options& options) {
  app.set_help_flag();  // --help is a row of its own: it must not end the parsing.
  for (const OptionRow& row : kOptions) {
    if (!all && std::find(given.begin(), given.end(), concat("--", row.name)) == given.end()) continue;
    const bool cli11_takes_letter = row.letter != '\0' && row.letter != '#';
    const std::string names = cli11_takes_letter ? concat("-", std::string(1, row.letter), ",--", row.name)
                                                 : concat("--", row.name);
    const std::string help(row.help);
    CLI::Option* option = nullptr;
    if (row.argument.empty()) {
      option = app.add_flag_function(
          names,
          [&options, &row](std::int64_t count) {
            if (row.flag != nullptr) options.*row.flag = true;
            if (row.letter != '\0')
              options.letters[static_cast<unsigned char>(row.letter)] += static_cast<int>(count);
          },
          help);
    } else {
      option = app.add_option_function<std::vector<std::string>>(
          names,
          [&options, &row](const std::vector<std::string>& values) {
            if (row.text != nullptr) options.*row.text = values.back();
            if (row.letter == 'C') options.classes = values.back();
            if (row.letter == 'T') options.tls_mode = values.back();
            if (row.letter == 'o') options.overrides = values;
            if (row.letter != '\0') options.letters[static_cast<unsigned char>(row.letter)] = 1;
          },
          help);
      option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      option->type_name(std::string(row.argument));
    }
    option->group(std::string(kGroupTitles[static_cast<std::size_t>(row.group)]));
  }
}

std::optional<Error> check_conflicts(const Options& options) {
  const auto letter = [](char c) { return concat("-", std::string(1, c)); };
  if (options.has('b') && options.has('t')) return fatal("specify one of -b and -t");
  for (std::string_view set : kExclusive) {
    std::string given;
    for (char c : set)
      if (options.has(c)) given += c;
    if (given.size() > 1) return fatal(concat("specify one of ", letter(given[0]), ", ", letter(given[1])));
  }
  for (const Refusal& refusal : kRefusals) {
    if (!options.has(refusal.with)) continue;
    if (const char given = options.first_of(refusal.letters))
      return fatal(concat("with option ", letter(refusal.with), ", do not specify ", letter(given)));
  }
  return std::nullopt;
}

/// A long option that asks a question of its own, and what else may be given with it.
struct View {
  std::string_view name;
  bool (*is_given)(const Options& options);
  std::string_view refused_letters;  ///< Of the letters that mean something elsewhere.
  bool takes_arguments;
};
constexpr View kViews[] = {
    {"--explain", [](const Options& o) { return o.explain.has_value(); }, "aAbFlmMPtTdnxfhHjC", false},
    {"--diff", [](const Options& o) { return o.diff.has_value(); }, "aAbFlmMPtTdnxfhHC", false},
    {"--check", [](const Options& o) { return o.check; }, "aAbFlmMPtTdnxfhHC", false},
    {"--service", [](const Options& o) { return o.service.has_value(); }, "aAbFlmMPtTdf", true},
    {"--origin", [](const Options& o) { return o.origin; }, "aAbFlmMPtTf", true},
};

std::optional<Error> check_long_options(const Options& options) {
  const bool is_edit = options.first_of("eX#") != '\0';
  for (const auto& [given, name] :
       {std::pair(options.dry_run, "--dry-run"), std::pair(options.strict, "--strict"),
        std::pair(options.changed, "--changed")})
    if (given && !is_edit) return fatal(concat(name, " goes with an edit: name=value, -X or -#"));

  const View* view = nullptr;
  for (const View& candidate : kViews) {
    if (!candidate.is_given(options)) continue;
    // A view of one service always shows origins.
    if (view != nullptr && !(view->name == "--service" && candidate.name == "--origin"))
      return fatal(concat("specify one of ", view->name, ", ", candidate.name));
    if (view == nullptr) view = &candidate;
  }
  if (view == nullptr) return std::nullopt;
  if (is_edit && view->name != "--origin") return fatal(concat(view->name, " does not go with an edit"));
  if (is_edit && options.first_of("MFP") != '\0')
    return fatal("--origin does not go with an edit of master.cf");
  if (const char letter = options.first_of(view->refused_letters))
    return fatal(concat("with option ", view->name, ", do not specify -", std::string(1, letter)));
  if (!view->takes_arguments && !options.arguments.empty())
    return fatal(concat("with option ", view->name, ", do not specify ", options.arguments[0]));
  return std::nullopt;
}

}  // namespace

char Options::first_of(std::string_view set) const {
  for (char c : set)
    if (has(c)) return c;
  return '\0';
}

Result<Options> parse_command_line(std::span<const std::string> arguments) {
  Splitter splitter(arguments);
  if (std::optional<Error> error = splitter.split()) return *error;

  Options options;
  CLI::App app("Show, explain, edit and check Postfix configuration.", "postconf");
  const bool wants_help = std::find(splitter.long_options.begin(), splitter.long_options.end(), "--help") !=
                          splitter.long_options.end();
  declare_options(app, splitter.long_options, wants_help, options);
  app.footer(
      "Arguments are names of parameters, name=value, or what -M, -F and -P say above.\n\nExamples:\n"
      "  postconf -n --origin                    what main.cf sets, and where\n"
      "  postconf -e relayhost=[gw.example.net] --dry-run\n"
      "  postconf -P 'submission/inet/smtpd_tls_security_level=encrypt' --changed\n"
      "  postconf --explain smtpd_relay_restrictions\n"
      "The manual page postconf(1) has the rest.");
  try {
    std::reverse(splitter.long_options.begin(), splitter.long_options.end());
    app.parse(std::move(splitter.long_options));
  } catch (const CLI::ParseError& e) {
    return fatal(e.what());
  }
  options.arguments = std::move(splitter.operands);
  if (options.help) options.help_text = app.help("", CLI::AppFormatMode::All);

  const bool may_edit = options.first_of("aAblmtT") == '\0';
  if (may_edit && !options.arguments.empty() && options.arguments[0].find('=') != std::string::npos)
    options.letters['e'] = std::max(1, options.letters['e']);
  if (std::optional<Error> error = check_conflicts(options)) return *error;
  if (std::optional<Error> error = check_long_options(options)) return *error;
  return options;
}

}  // namespace postconf
