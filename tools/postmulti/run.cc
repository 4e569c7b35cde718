#include "tools/postmulti/run.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/cli/fatal.h"
#include "tools/mta/submission/user_program.h"
#include "tools/postmulti/instances.h"
#include "tools/postmulti/iterator.h"
#include "tools/postmulti/life_cycle.h"

namespace postmulti {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::ErrorKind;
using libconf::Result;

constexpr std::array<std::string_view, 3> kGroups = {"What to do", "Which instances", "Other options"};
constexpr cli::Option kOptions[] = {
    {'l', "list", "", 0, "List instances"},
    {'p', "postfix", "", 0, "Run a command of postfix(1) for each"},
    {'x', "execute", "", 0, "Run a program for each"},
    {'e', "edit", "ACTION", 0,
     "Change one: init, create, import, destroy, deport, enable, disable or assign"},
    {'a', "all", "", 1, "All, as without any choice; with -e create or import: ahead of all others"},
    {'g', "group", "GROUP", 1, "The members of a group; with -e create or import: ahead of the first"},
    {'i', "instance", "NAME", 1, "One, by its name or directory; - is the primary one"},
    {'R', "reverse", "", 1, "The last first"},
    {'I', "new-name", "NAME", 2, "The name of an instance that is created, imported or assigned to"},
    {'G', "new-group", "GROUP", 2, "Its group"},
    {'v', "verbose", "", 2, "Have the commands that are run say more"},
    {'\0', "help", "", 2, "Show this text"},
};
constexpr cli::Values kValues[] = {{"ACTION", cli::ValueKind::kWord, [] {
                                      std::vector<std::string> names;
                                      for (const Action& each : actions()) names.emplace_back(each.name);
                                      return names;
                                    }}};
constexpr cli::Syntax kSyntax = {
    .program = "postmulti",
    .description = "Manages several mail systems on one host.",
    .usage =
        "Usage:postmulti -l [-v] [-a] [-g group] [-i instance] | postmulti -p [-v] [-a] [-g group] [-i "
        "instance] command... | postmulti -x [-v] [-a] [-i name] [-g group] command... | postmulti -e "
        "action [-v] [-a] [-i name] [-g group] [-I name] [-G group] [param=value ...]",
    .footer = "See postmulti(1).",
    .options = kOptions,
    .groups = kGroups,
    .values = kValues,
};

std::ptrdiff_t count(const cli::CommandLine& line, std::string_view letters) {
  return std::count_if(line.given.begin(), line.given.end(), [&](const cli::Given& each) {
    return each.option->letter != '\0' && letters.find(each.option->letter) != std::string_view::npos;
  });
}

/// What of the command line goes together. Errors: what does not.
Result<void> check(const cli::CommandLine& line) {
  if (count(line, "elpx") != 1) return fatal("Specify exactly one of '-e', '-l', '-p', '-x'");
  if (line.has("reverse") && (line.has("postfix") || line.has("edit")))
    return fatal("The '-p' and '-e' options preclude the use of '-R'");
  // As Postfix spells it.
  if (count(line, "agi") > 1) return fatal("Specity no more than one of '-a', '-g', '-i'");
  const bool has_new = line.has("new-name") || line.has("new-group");
  if (!line.has("edit")) {
    if (has_new) return fatal("Cannot assign instance name or group without '-e assign'");
    if (line.has("list") && !line.operands.empty()) return fatal("Command not allowed with '-l'");
    if (!line.has("list") && line.operands.empty()) return fatal("Command required with '-p' or '-x' option");
    return {};
  }
  const std::string name = *line.value("edit");
  const Action* const action = find_action(name);
  if (action == nullptr)
    return fatal(
        concat("Invalid '-e' edit action '", name,
               "'. Specify 'create', 'destroy', 'import', 'deport', 'enable', 'disable', 'assign' or "
               "'init'"));
  if (has_new && action->new_names == Action::Names::kNone)
    return fatal(concat("Cannot assign instance name or group with '-e ", name, "'"));
  if (!has_new && action->new_names == Action::Names::kNeeded)
    return fatal("Specify new instance name or group with '-e assign'");
  if (!line.operands.empty() && action->parameters.empty())
    return fatal(concat("Parameter overrides not valid with '-e ", name, "'"));
  return {};
}

/// Others than the built-in one cannot be the primary instance.
Result<std::string> primary_directory() {
  const char* const named = std::getenv("MAIL_CONFIG");  // NOLINT(concurrency-mt-unsafe): once, at the start.
  const std::string given = named != nullptr ? named : "";
  ::unsetenv("MAIL_CONFIG");  // NOLINT(concurrency-mt-unsafe): likewise.
  std::string directory = mta::configuration_directory({});
  if (!given.empty() && given != directory)
    return fatal(concat("Non-default configuration directory: MAIL_CONFIG=", given));
  return directory;
}

Result<int> perform(const cli::CommandLine& line, const std::string& postfix_program, std::ostream& out,
                    std::ostream& err, cli::MessagePrinter& messages) {
  if (Result<void> good = check(line); !good) return good.error();
  const Result<std::string> directory = primary_directory();
  if (!directory) return directory.error();
  const Result<Instances> instances = Instances::load(*directory, messages);
  if (!instances) return instances.error();
  const Selection selection{
      .is_all = line.has("all"), .group = line.value("group"), .name = line.value("instance")};
  if (line.has("edit")) {
    const Result<std::string> tag = instances->primary().configuration->settings().get("syslog_name");
    if (!tag) return tag.error();
    cli::MessagePrinter script(concat(*tag, "/postmulti-script"), err);
    const EditRequest request{.selection = selection,
                              .new_name = line.value("new-name"),
                              .new_group = line.value("new-group"),
                              .parameters = line.operands};
    const Result<void> done =
        find_action(*line.value("edit"))->perform({*instances, request, messages, script});
    if (done) return 0;
    if (done.error().kind == ErrorKind::kConfiguration) return done.error();
    script.fatal(done.error().message);
    return 1;
  }
  Iteration iteration{.primary = instances->primary(),
                      .instances = instances->select(selection),
                      .is_verbose = line.has("verbose"),
                      .messages = messages};
  if (line.has("reverse")) std::reverse(iteration.instances.begin(), iteration.instances.end());
  if (line.has("list")) {
    list(iteration.instances, out);
    return 0;
  }
  if (iteration.instances.empty()) return fatal("No matching instances");
  if (line.has("execute")) return run_in_each(iteration, line.operands) ? 0 : 1;
  const Result<bool> good = run_postfix_in_each(std::move(iteration), postfix_program, line.operands);
  if (!good) return good.error();
  return *good ? 0 : 1;
}

}  // namespace

int run(const std::vector<std::string>& arguments, const std::string& postfix_program, std::ostream& out,
        std::ostream& err) {
  cli::MessagePrinter messages("postmulti", err);
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (const auto text = line ? cli::text_about(kSyntax, *line) : std::nullopt) {
    out << *text;
    return 0;
  }
  const Result<int> status =
      line ? perform(*line, postfix_program, out, err, messages) : Result<int>(line.error());
  if (status) return *status;
  messages.fatal(status.error().message);
  return 1;
}

}  // namespace postmulti
