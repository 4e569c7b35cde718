#include "tools/postmap/options.h"

#include <array>

#include "libconf/text.h"
#include "libmaps/table_types.h"
#include "tools/cli/command_line.h"

namespace postmap {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

enum Group : std::size_t { kBuild, kQuery, kOther, kBeyond };
constexpr std::array<std::string_view, 4> kGroups = {"Build and change", "Query and list", "Other",
                                                     "Beyond Postfix"};

/// An option, and where it goes.
struct Row {
  cli::Option option;
  bool Options::*flag = nullptr;
  std::optional<std::string> Options::*text = nullptr;
  bool is_about_many = false;  ///< Not for a program that has its tables from a parameter.
};

constexpr Row kRows[] = {
    {{'i', "incremental", "", kBuild, "Add the entries on standard input; keep those that are there"},
     &Options::incremental},
    {{'r', "replace", "", kBuild, "Replace entries that are there, without a word"}, &Options::replace},
    {{'w', "no-warnings", "", kBuild, "Ignore entries that are there, without a word"},
     &Options::ignore_duplicates},
    {{'d', "delete", "KEY", kBuild, "Remove KEY from every table; -: the keys on standard input"},
     nullptr,
     &Options::remove},
    {{'p', "default-mode", "", kBuild, "Give a new index mode 0644, not that of its source"},
     &Options::default_mode},
    {{'o', "keep-privileges", "", kBuild, "As root, do not run as the owner of the source"},
     &Options::keep_privileges},
    {{'F', "files", "", kBuild, "Values name files: store their contents, and show them with -q and -s"},
     &Options::files},
    {{'q', "query", "KEY", kQuery, "Show the first value of KEY; -: for the keys on standard input"},
     nullptr,
     &Options::query},
    {{'s', "dump", "", kQuery, "List all entries of the first table"}, &Options::dump},
    {{'j', "json", "", kQuery, "With -q, -s or --test: JSON, one object a line"}, &Options::json},
    {{'h', "headers", "", kQuery, "With -q -: ask for each header of the message on standard input"},
     &Options::headers},
    {{'b', "body", "", kQuery, "With -q -: ask for each body line of the message on standard input"},
     &Options::body},
    {{'m', "mime", "", kQuery, "With -h or -b: parse MIME"}, &Options::mime},
    {{'c', "config-directory", "DIR", kOther, "The directory of main.cf; also: MAIL_CONFIG"},
     nullptr,
     &Options::config_directory},
    {{'f', "no-fold", "", kOther, "Do not fold keys to lower case"}, &Options::no_fold},
    {{'n', "no-null", "", kOther, "Keys and values are stored without a NUL at their end"},
     &Options::no_null},
    {{'N', "with-null", "", kOther, "Keys and values are stored with a NUL at their end"},
     &Options::with_null},
    {{'u', "no-utf8", "", kOther, "Keys and values need not be UTF-8"}, &Options::no_utf8},
    {{'U', "utf8", "", kOther, "They must be, with -b and -h too"}, &Options::force_utf8},
    {{'v', "verbose", "", kOther, "Accepted for compatibility"}, &Options::verbose},
    {{'\0', "all", "", kBeyond, "Build every table that main.cf and master.cf name"},
     &Options::all,
     nullptr,
     true},
    {{'\0', "stale", "", kBeyond, "With --all: only those whose source is newer than their index"},
     &Options::stale,
     nullptr,
     true},
    {{'\0', "dry-run", "", kBeyond, "With --all: only say what would be done"},
     &Options::dry_run,
     nullptr,
     true},
    {{'\0', "verify", "", kBeyond, "Compare each index with its source; status 1 when they differ"},
     &Options::verify},
    {{'\0', "test", "", kBeyond, "Run the test cases in files, for the tables that are named here or there"},
     &Options::test,
     nullptr,
     true},
    {{'\0', "help", "", kBeyond, "Print this help"}},
    {{'\0', "version", "", kBeyond, "Print the version"}, &Options::version},
};

constexpr cli::Values kValues[] = {{"TABLE", cli::ValueKind::kTable, [] {
                                      std::vector<std::string> types;
                                      for (const libmaps::TableType& type : libmaps::table_types())
                                        types.push_back(concat(type.name, ":"));
                                      return types;
                                    }}};

Error fatal(std::string_view message) { return libconf::configuration_error(std::string(message)); }

std::vector<cli::Option> options_of(const Program& program) {
  std::vector<cli::Option> options;
  for (const Row& row : kRows)
    if (program.refused_letters.find(row.option.letter) == std::string_view::npos &&
        (program.tables_parameter.empty() || !row.is_about_many))
      options.push_back(row.option);
  return options;
}

const Row& row_of(const cli::Option& option) {
  const Row* row = kRows;
  while (row->option.name != option.name) ++row;
  return *row;
}

/// What the options say together. `actions` is how often one of -d -i -q -s was given.
std::optional<Error> check(const Program& program, const Options& options, int actions) {
  if (actions > 1) return fatal("specify only one of -d -i -q or -s");
  if (options.json && !options.query && !options.dump && !options.test)
    return fatal("option -j requires -q or -s");
  if ((options.asks_message() || options.mime) && options.query != "-")
    return fatal("specify -b -h or -m only with \"-q -\"");
  if ((options.stale || options.dry_run) && !options.all)
    return fatal(options.stale ? "--stale goes with --all" : "--dry-run goes with --all");
  std::string_view work;
  for (const auto& [is_given, name] : {std::pair(options.all, "--all"), std::pair(options.verify, "--verify"),
                                       std::pair(options.test, "--test")}) {
    if (!is_given) continue;
    if (actions > 0) return fatal(concat(name, " does not go with -d -i -q or -s"));
    if (!work.empty()) return fatal(concat("specify one of ", work, ", ", name));
    work = name;
  }
  if (options.all && !options.tables.empty())
    return fatal(concat("with option --all, do not specify ", options.tables[0]));
  if (options.tables.empty() && !options.all && program.tables_parameter.empty()) return fatal(program.usage);
  if (!options.tables.empty() && !program.tables_parameter.empty()) return fatal(program.usage);
  return std::nullopt;
}

}  // namespace

const Program kPostmap = {
    .name = "postmap",
    .description = "Build, query and change Postfix lookup tables.",
    .usage = "usage: postmap [-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file...",
    .footer =
        "Arguments are tables, [type:]name.\n\nExamples:\n"
        "  postmap hash:/etc/postfix/virtual            build virtual.db\n"
        "  postmap -q ann@example.com hash:/etc/postfix/virtual\n"
        "  postmap -hmq - pcre:/etc/postfix/header_checks <message\n"
        "  postmap --all --stale                        build what is out of date\n"
        "  postmap --test tests/*.test                  do the tables say what they should?\n"
        "The manual page postmap(1) has the rest.",
    .format = libmaps::SourceFormat::kMap,
    .key_end = "",
};

const Program kPostalias = {
    .name = "postalias",
    .description = "Build, query and change Postfix alias databases.",
    .usage = "usage: postalias [-Nfinoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file...",
    .footer =
        "Arguments are tables, [type:]name.\n\nExamples:\n"
        "  postalias hash:/etc/aliases                  build aliases.db\n"
        "  postalias -q postmaster hash:/etc/aliases\n"
        "The manual page postalias(1) has the rest.",
    .format = libmaps::SourceFormat::kAliases,
    .key_end = ":",
    .refused_letters = "bFhmU",
};

const Program kNewaliases = {
    .name = "newaliases",
    .description = "Build the alias databases that alias_database names.",
    .usage = "usage: newaliases [-c config_dir]",
    .footer = "The manual page newaliases(1) has the rest.",
    .format = libmaps::SourceFormat::kAliases,
    .key_end = ":",
    .refused_letters = "bdfFhijmnNopqrsuUw",
    .tables_parameter = "alias_database",
};

Result<Options> parse_command_line(const Program& program, std::span<const std::string> arguments) {
  const std::vector<cli::Option> known = options_of(program);
  const cli::Syntax syntax{.program = program.name,
                           .description = program.description,
                           .usage = program.usage,
                           .footer = program.footer,
                           .options = known,
                           .groups = kGroups,
                           .values = kValues,
                           .operand = program.tables_parameter.empty() ? "TABLE" : ""};
  Result<cli::CommandLine> line = cli::parse(syntax, arguments);
  if (!line) return line.error();

  Options options;
  if (std::optional<std::string> text = cli::text_about(syntax, *line)) {
    options.help = true;
    options.help_text = std::move(*text);
    return options;
  }
  int actions = 0;
  for (cli::Given& given : line->given) {
    const Row& row = row_of(*given.option);
    const bool is_again = row.flag != nullptr && options.*row.flag;
    if (std::string_view("diqs").find(row.option.letter) != std::string_view::npos && !is_again) ++actions;
    if (row.flag != nullptr) options.*row.flag = true;
    if (row.text != nullptr) options.*row.text = std::move(given.value);
  }
  options.tables = std::move(line->operands);
  if (options.version) return options;
  if (std::optional<Error> error = check(program, options, actions)) return *error;
  return options;
}

}  // namespace postmap
