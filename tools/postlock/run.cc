#include "tools/postlock/run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ostream>

#include "libconf/handle.h"
#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/mta/delivery/mailbox_lock.h"
#include "tools/mta/submission/user_program.h"

namespace postlock {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::ErrorKind;
using libconf::FileDescriptor;
using libconf::Result;

/// EX_TEMPFAIL of sysexits.h: the command was not run.
constexpr int kNotNow = 75;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'l', "lock-style", "STYLE", 0, "flock, fcntl, dotlock or several; not mailbox_delivery_lock"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Values kValues[] = {{"STYLE", cli::ValueKind::kWord, [] {
                                      return std::vector<std::string>{"flock", "fcntl", "dotlock"};
                                    }}};
constexpr cli::Syntax kSyntax = {
    .program = "postlock",
    .description = "Runs a command while a mailbox file is locked.",
    .usage = "usage: postlock [-c config_dir] [-l lock_style] [-v] folder command...",
    .footer = "See postlock(1).",
    .options = kOptions,
    .groups = kGroups,
    .values = kValues,
    .operand = "FILE",
};

/// Whether the value of an option is the next word.
bool takes_next(std::string_view word) {
  for (const cli::Option& option : cli::all_options(kSyntax)) {
    if (option.argument.empty()) continue;
    if (word == concat("--", option.name)) return true;
    // Behind letters that take none.
    if (word.size() > 1 && word[1] != '-' && word.find(option.letter) == word.size() - 1) return true;
  }
  return false;
}

/// Options behind the file are those of the command, whatever they look like.
std::vector<std::string> up_to_file(std::vector<std::string> arguments) {
  std::size_t i = 0;
  while (i < arguments.size() && arguments[i].size() > 1 && arguments[i][0] == '-' && arguments[i] != "--")
    i += takes_next(arguments[i]) ? 2 : 1;
  if (i < arguments.size() && arguments[i] != "--")
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(i), "--");
  return arguments;
}

Result<mta::LockRules> read_rules(const libconf::Settings& settings,
                                  const std::optional<std::string>& style) {
  mta::SettingsReader reader(settings);
  mta::LockRules rules;
  rules.read(reader, "mailbox_delivery_lock", style);
  if (reader.error()) return *reader.error();
  return rules;
}

/// While the object lives, the file is ours.
struct LockedMailbox {
  mta::DotLock dot_lock;
  FileDescriptor file;
};

/// Makes the file where it is not there. Errors: "open file PATH: REASON".
Result<LockedMailbox> lock_mailbox(const std::string& path, const mta::LockRules& rules) {
  const auto failed = [&path](std::string_view what, int error) {
    return Error{.kind = ErrorKind::kTemporary,
                 .message = concat("open file ", path, ": ", what, ": ", std::strerror(error))};
  };
  LockedMailbox mailbox;
  struct stat status {};
  // What is no file has no lock file beside it either.
  const bool is_file = ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
  if (is_file && (rules.methods & mta::kLockDotFile) != 0) {
    if (const int error = mailbox.dot_lock.take(path, rules); error != 0)
      return failed(concat("unable to create lock file ", path, ".lock"), error);
  }
  constexpr mode_t kMode = 0600;
  // The command does not inherit it.
  mailbox.file =
      FileDescriptor(::open(path.c_str(), O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK | O_CLOEXEC, kMode));
  if (!mailbox.file) return failed("cannot open file", errno);
  if (!is_file) return mailbox;
  if (const int error = mta::lock_file(mailbox.file.get(), rules); error != 0)
    return failed("unable to lock for exclusive access", error);
  return mailbox;
}

/// Runs the command to its end. Gives its exit status; 1, where it has none.
int run_command(const std::vector<std::string>& words, mta::UserProgram& program) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(arguments[0], arguments.data());
    program.fatal(concat("execvp ", words[0], ": ", std::strerror(errno)));
    ::_exit(1);
  }
  if (child < 0) {
    program.fatal(concat("fork: ", std::strerror(errno)));
    return kNotNow;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const auto fails = [&](std::string_view message) {
    cli::MessagePrinter("postlock", err).fatal(message);
    return kNotNow;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, up_to_file(arguments));
  if (!line) return fails(line.error().message);
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  if (line->operands.size() < 2) return fails(kSyntax.usage);
  const auto program =
      mta::UserProgram::start("postlock", mta::configuration_directory(line->value("config-directory")), err);
  if (!program) return fails(program.error().message);
  const auto cannot = [&](const Error& error) {
    (*program)->fatal(error.message);
    return kNotNow;
  };
  const Result<mta::LockRules> rules = read_rules((*program)->settings(), line->value("lock-style"));
  if (!rules) return cannot(rules.error());
  const Result<LockedMailbox> mailbox = lock_mailbox(line->operands[0], *rules);
  if (!mailbox) return cannot(mailbox.error());
  return run_command({line->operands.begin() + 1, line->operands.end()}, **program);
}

}  // namespace postlock
