#include "tools/sendmail/run.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/fatal.h"
#include "tools/mta/submission/user_program.h"
#include "tools/sendmail/options.h"
#include "tools/sendmail/submission.h"

namespace sendmail {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Error;
using libconf::Result;

/// What the caller of a mailer that could not do its work expects: try again later (sysexits.h, EX_TEMPFAIL).
constexpr int kTryLater = 75;

/// Called by this name the program lists the queue.
constexpr std::string_view kListName = "mailq";

/// One call of the program.
struct Call {
  mta::UserProgram& program;
  const Options& options;
  const Surroundings& surroundings;
  int input;
  std::ostream& out;

  /// Another program of the mail system: beside this one, or in command_directory.
  Result<std::string> path_of(std::string_view name) const {
    std::string beside = concat(surroundings.programs, "/", name);
    if (::access(beside.c_str(), X_OK) == 0) return beside;
    const Result<std::string> directory = program.settings().get("command_directory");
    if (!directory) return directory.error();
    return concat(*directory, "/", name);
  }
};

/// Becomes another program; the error when that is not possible.
Error become(const std::string& path, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), path.substr(path.rfind('/') + 1));
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(path.c_str(), argv.data());
  return fatal(concat("execv ", path, ": ", std::strerror(errno)));
}

Result<void> become_command(const Call& call, std::string_view name, std::vector<std::string> arguments) {
  const Result<std::string> path = call.path_of(name);
  if (!path) return path.error();
  return become(*path, std::move(arguments));
}

Result<void> deliver(const Call& call) {
  if (call.options.extracts_recipients && call.options.verifies)
    return fatal("-t option cannot be used with -bv");
  const Result<std::string> postdrop = call.path_of("postdrop");
  if (!postdrop) return postdrop.error();
  return submit({.program = call.program, .options = call.options, .postdrop = *postdrop}, call.input,
                call.out);
}

Result<void> stand_alone(const Call& call) {
  if (Result<void> allowed = call.program.check_may_submit(); !allowed) return allowed;
  const Result<std::string> postdrop = call.path_of("postdrop");
  if (!postdrop) return postdrop.error();
  return become(call.surroundings.smtp_server, {"-c", call.program.directory(), "--stand-alone", *postdrop});
}

Result<void> list(const Call& call) { return become_command(call, "postqueue", {"-p"}); }
Result<void> flush(const Call& call) { return become_command(call, "postqueue", {"-f"}); }
Result<void> start(const Call& call) { return become_command(call, "postfix", {"start"}); }
Result<void> nothing(const Call&) { return {}; }

Result<void> initialize(const Call& call) {
  std::vector<std::string> databases = {call.options.alias_database};
  if (call.options.alias_database.empty()) {
    Result<std::vector<std::string>> all = call.program.settings().get_list("alias_database");
    if (!all) return all.error();
    databases = std::move(*all);
  }
  databases.insert(databases.begin(), "--");
  return become_command(call, "postalias", std::move(databases));
}

struct ModeWork {
  Mode mode;
  std::string_view without_recipients;  ///< What has none, for the message to who gives some; or empty.
  Result<void> (*run)(const Call& call);
};

constexpr std::array kModes = {
    ModeWork{Mode::kDeliver, "", deliver},
    ModeWork{Mode::kStandAlone, "stand-alone mode", stand_alone},
    ModeWork{Mode::kList, "display queue mode", list},
    ModeWork{Mode::kFlush, "flush queue mode", flush},
    ModeWork{Mode::kInitialize, "alias initialization mode", initialize},
    ModeWork{Mode::kDaemon, "daemon mode", start},
    ModeWork{Mode::kNothing, "", nothing},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kModes.size(); ++i)
    if (static_cast<std::size_t>(kModes[i].mode) != i) return false;
  return true;
}
static_assert(is_in_order());

Result<void> carry_out(const Call& call) {
  const Options& options = call.options;
  if (!options.flush_site.empty()) return become_command(call, "postqueue", {"-s", options.flush_site});
  if (!options.flush_id.empty()) return become_command(call, "postqueue", {"-i", options.flush_id});
  if (options.extracts_recipients && options.mode != Mode::kDeliver)
    return fatal("-t can be used only in delivery mode");
  const ModeWork& work = kModes[static_cast<std::size_t>(options.mode)];
  if (!work.without_recipients.empty() && !options.recipients.empty())
    return fatal(concat(work.without_recipients, " requires no recipient"));
  return work.run(call);
}

/// -C may name main.cf itself.
std::string directory_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return path;
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Surroundings& surroundings, int input,
        std::ostream& out, std::ostream& err) {
  if (const std::optional<std::string> text = completion(arguments)) {
    out << *text;
    return 0;
  }
  ::umask(022);
  std::signal(SIGPIPE, SIG_IGN);
  const std::string& name = surroundings.name;
  std::vector<std::string> words = arguments;
  if (name == kListName) words.insert(words.begin(), "-bp");
  const CommandLine line = split(words);
  std::optional<std::string> directory = line.configuration();
  if (directory) {
    directory = directory_of(*directory);
    ::setenv("MAIL_CONFIG", directory->c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread.
  }
  // Postfix looks at all of them first, and then one after the other.
  for (const Given& given : line.given)
    if (!given.complaint.empty()) err << name << ": " << given.complaint << std::endl;
  const auto program = mta::UserProgram::start(name, mta::configuration_directory(directory), err);
  if (!program) {
    err << name << ": fatal: " << program.error().message << std::endl;
    return kTryLater;
  }
  const Result<Options> options = interpret(line, (*program)->settings(), (*program)->messages());
  Result<void> done =
      options ? carry_out({**program, *options, surroundings, input, out}) : Result<void>(options.error());
  if (done) return 0;
  std::string_view message = done.error().message;
  if (const std::size_t newline = message.find('\n'); newline != std::string_view::npos) {
    err << name << ": " << message.substr(0, newline) << std::endl;
    message.remove_prefix(newline + 1);
  }
  (*program)->fatal(message);
  return kTryLater;
}

}  // namespace sendmail
