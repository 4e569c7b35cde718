#include "tools/postsuper/run.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <istream>
#include <optional>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/cli/fatal.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/submission/user_program.h"
#include "tools/postsuper/actions.h"

namespace postsuper {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Result;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'d', "delete", "ID", 0, "Delete a message; here and below: - reads IDs, ALL means all messages"},
    {'e', "expire", "ID", 0, "Have a message returned at the next attempt to deliver it"},
    {'f', "expire-and-release", "ID", 0, "The same, and release it from hold"},
    {'h', "hold", "ID", 0, "Put a message on hold"},
    {'H', "release", "ID", 0, "Release a message from hold"},
    {'p', "purge", "", 0, "Remove old files that were never finished"},
    {'r', "requeue", "ID", 0, "Have a message received anew"},
    {'s', "structure", "", 0, "Give files the right names and places"},
    {'S', "structure-redundant", "", 0, "The same, long names included"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Values kValues[] = {{"QUEUE", cli::ValueKind::kWord, mta::all_queue_names}};
constexpr cli::Syntax kSyntax = {
    .program = "postsuper",
    .description = "Deletes, holds, releases, requeues and expires messages in the queue.",
    .usage =
        "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] "
        "[-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] "
        "[-p (purge temporary files)] [-r queue_id (requeue)] [-s (structure fix)] "
        "[-S (redundant structure fix)][-v (verbose)] [queue...]",
    .footer = "Operands: directories of the queue, in place of all. See postsuper(1).",
    .options = kOptions,
    .groups = kGroups,
    .values = kValues,
    .operand = "QUEUE",
};

/// Goes to the queue directory, and becomes its owner: root must not be led out of it by what is in it.
Result<void> enter(const libconf::Settings& settings) {
  const Result<std::string> directory = settings.get("queue_directory");
  if (!directory) return directory.error();
  const Result<mta::Spool> spool = mta::Spool::read(settings);
  if (!spool) return spool.error();
  if (::chdir(directory->c_str()) != 0)
    return fatal(concat("chdir ", *directory, ": ", std::strerror(errno)));
  struct stat status {};
  const bool is_owner = ::stat(".", &status) == 0 && status.st_uid == ::geteuid();
  if (::geteuid() != 0 && !is_owner) return fatal("use of this command is reserved for the superuser");
  const std::optional<mta::Identity> owner = spool->mail_owner();
  if (!owner) return {};
  if (::setgroups(1, &owner->group) == 0 && ::setgid(owner->group) == 0 && ::setuid(owner->user) == 0)
    return {};
  return fatal(concat("set user ", std::to_string(owner->user), ": ", std::strerror(errno)));
}

/// Only who types ALL means all messages: a list of IDs may come from anywhere.
Result<void> apply(Actions& actions, const Action& action, const std::string& ids, std::istream& in) {
  if (ids == "ALL") return actions.apply_to_all(action);
  if (ids != "-") return actions.apply(action, ids);
  for (std::string id; std::getline(in, id);)
    if (Result<void> done = actions.apply(action, id); !done) return done;
  return {};
}

Result<void> carry_out(mta::UserProgram& program, const cli::CommandLine& line, std::istream& in) {
  for (const std::string& directory : line.operands)
    if (std::find(kDirectories.begin(), kDirectories.end(), directory) == kDirectories.end())
      return fatal(concat("invalid directory name: ", directory));
  const bool purges = line.has("purge");
  const bool repairs_long_names = line.has("structure-redundant");
  const bool repairs = line.has("structure") || repairs_long_names;
  Result<mta::QueueDirectory> queue = mta::QueueDirectory::open_here(program.settings());
  if (!queue) return queue.error();
  Actions actions(program, *queue, line.operands);
  const bool has_action = std::any_of(line.given.begin(), line.given.end(), [](const cli::Given& given) {
    return find_action(given.option->letter) != nullptr;
  });
  const bool does_both = !has_action && !purges && !repairs;
  if (repairs || does_both)
    if (Result<void> done = actions.repair(repairs_long_names); !done) return done;
  if (purges || does_both)
    if (Result<void> done = actions.purge(); !done) return done;
  for (const cli::Given& given : line.given) {
    const Action* const action = find_action(given.option->letter);
    if (action == nullptr) continue;
    actions.ask_for(*action);
    Result<void> done = apply(actions, *action, given.value, in);
    if (!done) return done;
  }
  actions.report();
  return {};
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  const auto fails = [&](std::string_view message) {
    cli::MessagePrinter("postsuper", err).fatal(message);
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fails(line.error().message);
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  const auto program = mta::UserProgram::start("postsuper", directory, err);
  if (!program) return fails(program.error().message);
  Result<void> done = enter((*program)->settings());
  if (done) done = carry_out(**program, *line, in);
  if (done) return 0;
  (*program)->fatal(done.error().message);
  return 1;
}

}  // namespace postsuper
