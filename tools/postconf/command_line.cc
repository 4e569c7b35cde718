#include "tools/postconf/command_line.h"

#include <algorithm>

#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/fatal.h"
#include "tools/postconf/migrate.h"
#include "tools/postconf/show_main.h"

namespace postconf {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Error;
using libconf::Result;

enum Group : std::size_t { kMainCf, kEdit, kMasterCf, kOther, kBeyond };

constexpr std::array<std::string_view, 5> kGroupTitles = {
    "Show main.cf", "Edit main.cf or master.cf", "Show or edit master.cf", "Other", "Beyond Postfix"};

using Flag = bool Options::*;
using Text = std::optional<std::string> Options::*;

/// An option, and where it goes besides Options::letters.
struct OptionRow {
  cli::Option option;
  Flag flag = nullptr;  ///< Where a long option without argument is noted.
  Text text = nullptr;  ///< Where the last argument goes.
};

constexpr OptionRow kRows[] = {
    {{'d', "defaults", "", kMainCf, "Show defaults instead of actual settings"}},
    {{'n', "non-default", "", kMainCf, "Show only what main.cf sets"}},
    {{'C', "class", "CLASS,...", kMainCf, "Only parameters of these classes: builtin, service, user, all"}},
    {{'o', "override", "NAME=VALUE", kMainCf, "Override a setting of main.cf for this run"}},
    {{'x', "expand", "", kMainCf, "Expand $name in values"}},
    {{'f', "fold", "", kMainCf, "Fold long lines"}},
    {{'h', "no-names", "", kMainCf, "Show values without names"}},
    {{'H', "no-values", "", kMainCf, "Show names without values"}},
    {{'j', "json", "", kMainCf, "Show JSON, one object a line"}},
    {{'p', "main", "", kMainCf, "Show or edit main.cf; this is the default"}},
    {{'q', "quiet", "", kMainCf, "No warnings of unused and deprecated parameters"}},
    {{'e', "edit", "", kEdit, "Edit; implied when the first argument is name=value"}},
    {{'X', "exclude", "", kEdit, "Remove settings"}},
    {{'#', "comment-out", "", kEdit, "Comment out settings; in short: -#"}},
    {{'M', "master", "", kMasterCf, "Entries: service[/type], or service/type=entry"}},
    {{'F', "fields", "", kMasterCf, "Fields: service[/type[/field]], or service/type/field=value"}},
    {{'P', "parameters", "", kMasterCf,
      "-o options: service[/type[/name]], or service/type/name=value; twice: inherited settings too"}},
    {{'a', "sasl-server-types", "", kOther, "List SASL plug-in types of the SMTP server"}},
    {{'A', "sasl-client-types", "", kOther, "List SASL plug-in types of the SMTP client"}},
    {{'b', "bounce-text", "", kOther, "Show the bounce texts, expanded"}},
    {{'t', "bounce-templates", "", kOther, "Show the bounce templates"}},
    {{'l', "lock-types", "", kOther, "List mailbox locking methods"}},
    {{'m', "map-types", "", kOther, "List lookup table types"}},
    {{'T', "tls", "MODE", kOther, "compile-version, run-version or public-key-algorithms"}},
    {{'c', "config-directory", "DIR", kOther, "The directory of main.cf and master.cf; also: MAIL_CONFIG"},
     nullptr,
     &Options::config_directory},
    {{'v', "verbose", "", kOther, "Accepted for compatibility"}},
    {{'\0', "origin", "", kBeyond, "With each setting, the file and line that set it"}, &Options::origin},
    {{'\0', "explain", "NAME", kBeyond, "All about one parameter: class, limits, value, expansion, services"},
     nullptr,
     &Options::explain},
    {{'\0', "service", "NAME/TYPE", kBeyond, "The settings as one master.cf service sees them, with origins"},
     nullptr,
     &Options::service},
    {{'\0', "check", "", kBeyond, "Print diagnostics only; status 1 when there is an error"},
     &Options::check},
    {{'\0', "diff", "DIR", kBeyond,
      "Compare with another configuration directory; status 1 where they differ"},
     nullptr,
     &Options::diff},
    {{'\0', "migrate-db", "TYPE", kBeyond,
      "What is to be done to have lmdb or cdb in place of hash and btree"},
     nullptr,
     &Options::migrate_db},
    {{'\0', "apply", "", kBeyond, "With --migrate-db: do it"}, &Options::apply},
    {{'\0', "dry-run", "", kBeyond, "With an edit: print the difference it would make, and touch nothing"},
     &Options::dry_run},
    {{'\0', "strict", "", kBeyond, "With an edit: refuse unknown names and values of the wrong kind"},
     &Options::strict},
    {{'\0', "changed", "", kBeyond,
      "With an edit or --migrate-db: status 10 when it changed a file, or would; else 0"},
     &Options::changed},
    {{'\0', "help", "", kBeyond, "Print this help"}},
    {{'\0', "version", "", kBeyond, "Print the version"}, &Options::version},
};

std::vector<std::string> parameter_names(std::string_view end) {
  std::vector<std::string> names;
  for (const libconf::Parameter& parameter : libconf::all_parameters())
    if (libconf::is_listed(parameter)) names.push_back(concat(parameter.name, end));
  return names;
}

constexpr cli::Values kValues[] = {
    {"CLASS,...", cli::ValueKind::kWord, class_names},
    {"MODE", cli::ValueKind::kWord,
     [] {
       return std::vector<std::string>{"compile-version", "run-version", "public-key-algorithms"};
     }},
    {"NAME", cli::ValueKind::kWord, [] { return parameter_names(""); }},
    {"NAME=VALUE", cli::ValueKind::kWord, [] { return parameter_names("="); }},
    {"TYPE", cli::ValueKind::kWord,
     [] { return std::vector<std::string>(migration_targets().begin(), migration_targets().end()); }},
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

const OptionRow& row_of(const cli::Option& option) {
  const OptionRow* row = kRows;
  while (row->option.name != option.name) ++row;
  return *row;
}

void apply(const cli::Given& given, Options& options) {
  const OptionRow& row = row_of(*given.option);
  if (row.flag != nullptr) options.*row.flag = true;
  if (row.text != nullptr) options.*row.text = given.value;
  const char letter = row.option.letter;
  if (letter == '\0') return;
  int& count = options.letters[static_cast<unsigned char>(letter)];
  count = row.option.argument.empty() ? count + 1 : 1;
  if (letter == 'C') options.classes = given.value;
  if (letter == 'T') options.tls_mode = given.value;
  if (letter == 'o') options.overrides.push_back(given.value);
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
    {"--migrate-db", [](const Options& o) { return o.migrate_db.has_value(); }, "aAbFlmMPtTdnxfhHCo", false},
    {"--service", [](const Options& o) { return o.service.has_value(); }, "aAbFlmMPtTdf", true},
    {"--origin", [](const Options& o) { return o.origin; }, "aAbFlmMPtTf", true},
};

std::optional<Error> check_long_options(const Options& options) {
  const bool is_edit = options.first_of("eX#") != '\0';
  const bool is_migration = options.migrate_db.has_value();
  for (const auto& [given, name, goes_with_migration] :
       {std::tuple(options.dry_run, "--dry-run", true), std::tuple(options.strict, "--strict", false),
        std::tuple(options.changed, "--changed", true)})
    if (given && !is_edit && !(is_migration && goes_with_migration))
      return fatal(concat(name, " goes with an edit: name=value, -X or -#"));
  if (options.apply && !is_migration) return fatal("--apply goes with --migrate-db");
  if (options.apply && options.dry_run) return fatal("specify one of --apply, --dry-run");

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
  std::vector<cli::Option> known;
  for (const OptionRow& row : kRows) known.push_back(row.option);
  const cli::Syntax syntax{
      .program = "postconf",
      .description = "Show, explain, edit and check Postfix configuration.",
      .usage = kUsage,
      .footer =
          "Arguments are names of parameters, name=value, or what -M, -F and -P say above.\n\nExamples:\n"
          "  postconf -n --origin                    what main.cf sets, and where\n"
          "  postconf -e relayhost=[gw.example.net] --dry-run\n"
          "  postconf -P 'submission/inet/smtpd_tls_security_level=encrypt' --changed\n"
          "  postconf --explain smtpd_relay_restrictions\n"
          "  postconf --migrate-db lmdb              away from Berkeley DB: what would change\n"
          "The manual page postconf(1) has the rest.",
      .options = known,
      .groups = kGroupTitles,
      .values = kValues,
      .operand = "NAME"};
  Result<cli::CommandLine> line = cli::parse(syntax, arguments);
  if (!line) return line.error();

  Options options;
  if (std::optional<std::string> text = cli::text_about(syntax, *line)) {
    options.help = true;
    options.help_text = std::move(*text);
    return options;
  }
  for (const cli::Given& given : line->given) apply(given, options);
  options.arguments = std::move(line->operands);

  const bool may_edit = options.first_of("aAblmtT") == '\0';
  if (may_edit && !options.arguments.empty() && options.arguments[0].find('=') != std::string::npos)
    options.letters['e'] = std::max(1, options.letters['e']);
  if (std::optional<Error> error = check_conflicts(options)) return *error;
  if (std::optional<Error> error = check_long_options(options)) return *error;
  return options;
}

}  // namespace postconf
