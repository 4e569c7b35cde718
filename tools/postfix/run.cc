#include "tools/postfix/run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <ostream>
#include <thread>

#include "libconf/file.h"
#include "libconf/parameter_table.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/mta/daemon/listener_set.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/daemon/master.h"
#include "tools/mta/daemon/service_role.h"
#include "tools/mta/daemon/site.h"
#include "tools/mta/daemon/spool.h"
#include "tools/mta/submission/user_program.h"
#include "tools/postfix/log_rotation.h"

namespace postfix {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;
using libconf::Severity;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf and master.cf; also: MAIL_CONFIG"},
    {'D', "debug", "", 0, "Accepted for compatibility"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};

/// One call of the program, with what all commands need.
struct Call {
  const Surroundings& surroundings;
  std::string directory;
  mta::Site& site;
  mta::Spool spool;
  mta::MailLog& log;
  std::ostream& err;
  std::string tag;  ///< As the log has it.

  /// To the log, and to a user who watches.
  void say(std::string_view text) const {
    log.write({.program = "postfix-script"}, Severity::kInfo, text);
    if (surroundings.has_terminal) err << tag << ": " << text << std::endl;
  }
  void warn(std::string_view text) const {
    log.write({.program = "postfix-script"}, Severity::kWarning, text);
    if (surroundings.has_terminal) err << tag << ": warning: " << text << std::endl;
  }
  /// The same for what ends the command; nobody is left without the reason.
  int fatal(std::string_view text) const {
    log.write({.program = "postfix-script"}, Severity::kInfo, concat("fatal: ", text));
    err << tag << ": fatal: " << text << std::endl;
    return 1;
  }
  mta::Master::Options master_options() const {
    return {.config_directory = directory,
            .server_directory = surroundings.server_directory,
            .version = site.settings().get("mail_version").value_or("")};
  }
};

/// The process that runs; nothing after a message.
std::optional<pid_t> running(const Call& call) {
  const Result<std::optional<pid_t>> pid = call.spool.running();
  if (pid && *pid) return *pid;
  static_cast<void>(call.fatal(pid ? "the Postfix mail system is not running" : pid.error().message));
  return {};
}

/// Shows what is odd in master.cf.
class CallSink final : public libconf::DiagnosticSink {
 public:
  explicit CallSink(const Call& call) : call_(call) {}
  void report(libconf::Diagnostic diagnostic) override { call_.warn(diagnostic.message); }

 private:
  const Call& call_;
};

int check(const Call& call) {
  if (const Result<void> made = call.spool.make_directories(); !made) return call.fatal(made.error().message);
  CallSink warnings(call);
  for (const std::string& warning : call.spool.permission_warnings(call.directory)) call.warn(warning);
  if (const Result<void> checked = mta::ListenerSet::check(call.site, warnings); !checked)
    return call.fatal(checked.error().message);
  return 0;
}

/// The command. What it says besides is no fault, and nothing that each start should repeat.
int check_and_explain(const Call& call) {
  if (const int status = check(call); status != 0) return status;
  for (const libconf::PlacedService* const placed : call.site.services()) {
    const auto field = [&](libconf::MasterField name) { return placed->service.field(name); };
    const mta::ServiceRole* const role = mta::find_service_role(field(libconf::MasterField::kCommand));
    if (role->kind != mta::ServiceKind::kServer) continue;
    if (!call.site.settings().for_service(*placed, call.site.master_cf()).is_confined()) continue;
    call.say(
        concat(call.site.master_cf().file(), ": line ", std::to_string(placed->line), ": service ",
               placed->service.key(),
               ": chroot: paths of sockets start at the queue directory; the process is not confined to it"));
  }
  return 0;
}

int set_permissions(const Call& call) {
  const Result<void> set = call.spool.set_permissions();
  return set ? 0 : call.fatal(set.error().message);
}

int run_in_foreground(const Call& call) {
  mta::Master master(call.master_options(), call.log);
  if (const Result<void> started = master.start(); !started) return call.fatal(started.error().message);
  master.run();
  return 0;
}

/// What `start` and `start-fg` do before the master runs. Returns whether it may.
bool is_prepared(const Call& call) {
  const Result<std::optional<pid_t>> pid = call.spool.running();
  if (!pid || *pid) {
    static_cast<void>(call.fatal(pid ? "the Postfix mail system is already running" : pid.error().message));
    return false;
  }
  if (check(call) != 0) return false;
  call.say("starting the Postfix mail system");
  return true;
}

int start_in_foreground(const Call& call) { return is_prepared(call) ? run_in_foreground(call) : 1; }

/// From here on the caller, who may wait for the end of our output, need not.
void leave_terminal() {
  const libconf::FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), standard);
}

/// What the child of `start` tells its parent when it serves; anything else is the reason why it does not.
constexpr std::string_view kServes = "serves";

[[noreturn]] void run_in_background(const Call& call, libconf::FileDescriptor parent) {
  ::setsid();
  leave_terminal();
  mta::Master master(call.master_options(), call.log);
  const Result<void> started = master.start();
  const std::string_view news = started ? kServes : std::string_view(started.error().message);
  [[maybe_unused]] const ssize_t told = ::write(parent.get(), news.data(), news.size());
  if (!started) std::_Exit(1);
  parent = {};
  master.run();
  std::_Exit(0);
}

int start(const Call& call) {
  if (!is_prepared(call)) return 1;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return call.fatal(concat("pipe: ", std::strerror(errno)));
  const libconf::FileDescriptor reading(ends[0]);
  libconf::FileDescriptor writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return call.fatal(concat("fork: ", std::strerror(errno)));
  if (child == 0) run_in_background(call, std::move(writing));
  writing = {};
  std::string news;
  libconf::read_to_end(reading.get(), news);
  if (news == kServes) return 0;
  if (!news.empty()) static_cast<void>(call.fatal(news));
  return call.fatal("mail system startup failed");
}

/// Waits for the end of the mail system, and says so each second. Postfix's command loses patience after
/// five.
int wait_for_end(const Call& call) {
  auto next_word = std::chrono::steady_clock::now() + 1s;
  for (;;) {
    const Result<std::optional<pid_t>> pid = call.spool.running();
    if (!pid) return call.fatal(pid.error().message);
    if (!*pid) return 0;
    if (const auto now = std::chrono::steady_clock::now(); now >= next_word) {
      call.say("waiting for the Postfix mail system to terminate");
      next_word = now + 1s;
    }
    std::this_thread::sleep_for(20ms);
  }
}

int send(const Call& call, std::string_view text, int signal, bool waits) {
  const std::optional<pid_t> pid = running(call);
  if (!pid) return 1;
  call.say(text);
  if (::kill(*pid, signal) != 0) return call.fatal(concat("kill: ", std::strerror(errno)));
  return waits ? wait_for_end(call) : 0;
}

int stop(const Call& call) { return send(call, "stopping the Postfix mail system", SIGTERM, true); }
int abort_now(const Call& call) { return send(call, "aborting the Postfix mail system", SIGQUIT, true); }

/// What the master could not use is told here already, and changes nothing.
int reload(const Call& call) {
  if (!running(call)) return 1;
  if (const int status = check(call); status != 0) return status;
  return send(call, "refreshing the Postfix mail system", SIGHUP, false);
}

/// No line is lost: the file is compressed when the last session that logs to it is over.
int rotate_log(const Call& call) {
  const libconf::Settings& settings = call.site.settings();
  const Result<std::string> aside = put_log_aside(settings);
  if (!aside) return call.fatal(aside.error().message);
  if (const Result<void> reopened = call.log.reopen(settings); !reopened)
    return call.fatal(reopened.error().message);
  const Result<std::optional<pid_t>> pid = call.spool.running();
  if (pid && *pid && ::kill(**pid, SIGHUP) != 0) return call.fatal(concat("kill: ", std::strerror(errno)));
  if (!wait_for_writers(*aside, 10s)) {
    call.warn(concat(*aside, ": sessions are still logged there: not compressed"));
    return 0;
  }
  const Result<void> compressed = compress_log(settings, *aside);
  return compressed ? 0 : call.fatal(compressed.error().message);
}

/// Becomes postqueue(1), which knows whom to ask and what to say.
int flush(const Call& call) {
  const char* const program = call.surroundings.queue_program.c_str();
  ::execl(program, "postqueue", "-c", call.directory.c_str(), "-f", nullptr);
  return call.fatal(concat("execl ", program, ": ", std::strerror(errno)));
}

int status(const Call& call) {
  const Result<std::optional<pid_t>> pid = call.spool.running();
  if (!pid) return call.fatal(pid.error().message);
  if (!*pid) {
    call.say("the Postfix mail system is not running");
    return 1;
  }
  call.say(concat("the Postfix mail system is running: PID: ", std::to_string(**pid)));
  return 0;
}

/// Whether the command is for one of several instances (postfix-wrapper(5)): for that which is named.
bool is_for_one(const cli::CommandLine& line) {
  return line.has("config-directory") ||
         std::getenv("MAIL_CONFIG") != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread.
}

/// What the manager of instances, and what it starts, learn from their environment.
constexpr std::array kExported = {
    "command_directory", "daemon_directory",  "data_directory", "html_directory",  "mail_owner",
    "mailq_path",        "manpage_directory", "meta_directory", "newaliases_path", "queue_directory",
    "readme_directory",  "sample_directory",  "sendmail_path",  "setgid_group",    "shlib_directory",
};

/// Becomes multi_instance_wrapper, which calls this program for each instance.
Error become_wrapper(const Call& call, const std::vector<std::string>& operands) {
  const libconf::Settings& settings = call.site.settings();
  const Result<std::string> wrapper = settings.get("multi_instance_wrapper");
  if (!wrapper) return wrapper.error();
  std::vector<std::string> words;
  std::string_view rest = *wrapper;
  while (const auto word = libconf::next_word(rest, libconf::kBlanks)) words.emplace_back(*word);
  if (words.empty())
    return libconf::configuration_error(
        "multi-instance support is requested, but multi_instance_wrapper is empty");
  words.insert(words.end(), operands.begin(), operands.end());
  const auto set = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread.
  };
  for (const char* const name : kExported) set(name, settings.get(name).value_or(""));
  set("config_directory", call.directory);
  set("MAIL_CONFIG", call.directory);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  return libconf::configuration_error(concat(words.front(), ": ", std::strerror(errno)));
}

/// What Postfix's program reads with every command, whoever needs it.
Result<void> check_parameters(const libconf::Settings& settings) {
  for (const std::string_view name :
       {"default_process_limit", "maillog_file_rotate_suffix", "maillog_file_compressor"}) {
    const Result<std::string> value = settings.get(name);
    if (!value) return value.error();
    if (std::optional<Error> error = libconf::check_value(*libconf::find_parameter(name), *value))
      return *error;
  }
  return {};
}

struct Command {
  std::string_view name;
  int (*run)(const Call& call);
};

constexpr std::array kCommands = {
    Command{"start", start},
    Command{"start-fg", start_in_foreground},
    Command{"stop", stop},
    Command{"reload", reload},
    Command{"abort", abort_now},
    Command{"check", check_and_explain},
    Command{"status", status},
    Command{"flush", flush},
    Command{"set-permissions", set_permissions},
    Command{"logrotate", rotate_log},
};

constexpr cli::Values kValues[] = {{"COMMAND", cli::ValueKind::kWord, [] {
                                      std::vector<std::string> names;
                                      for (const Command& each : kCommands) names.emplace_back(each.name);
                                      return names;
                                    }}};
constexpr cli::Syntax kSyntax = {
    .program = "postfix",
    .description = "Starts, stops and checks the mail system.",
    .usage = "usage: postfix [-c config_dir] [-Dv] command",
    .footer =
        "Commands: start, start-fg, stop, reload, abort, flush, check, status, set-permissions, logrotate. "
        "See "
        "postfix(1).",
    .options = kOptions,
    .groups = kGroups,
    .values = kValues,
    .operand = "COMMAND",
};

}  // namespace

int run(const std::vector<std::string>& arguments, const Surroundings& surroundings, std::ostream& out,
        std::ostream& err) {
  cli::MessagePrinter messages("postfix", err);
  const auto fatal = [&](std::string_view message) {
    messages.fatal(message);
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fatal(line.error().message);
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  if (!directory.starts_with('/')) return fatal("-c requires absolute pathname");
  const Result<std::unique_ptr<mta::Site>> site = mta::Site::load(directory, messages);
  if (!site) return fatal(site.error().message);
  if (const Result<void> checked = check_parameters((*site)->settings()); !checked)
    return fatal(checked.error().message);
  const Result<std::unique_ptr<mta::MailLog>> log = mta::MailLog::open((*site)->settings());
  if (!log) return fatal(log.error().message);
  Result<mta::Spool> spool = mta::Spool::read((*site)->settings());
  if (!spool) return fatal(spool.error().message);
  // Root may have mistyped queue_directory: it must be there, as with Postfix. Others have it made for them.
  if (spool->mail_owner())
    if (const Result<void> entered = spool->enter(); !entered) return fatal(entered.error().message);

  const Result<std::string> log_name = (*site)->settings().get("syslog_name");
  if (!log_name) return fatal(log_name.error().message);
  const Call call{
      surroundings, directory, **site, std::move(*spool), **log, err, concat(*log_name, "/postfix-script")};
  const auto instances = (*site)->settings().get_list("multi_instance_directories");
  if (!instances) return fatal(instances.error().message);
  if (!instances->empty() && !is_for_one(*line)) return fatal(become_wrapper(call, line->operands).message);
  const std::string name = line->operands.empty() ? "" : line->operands.front();
  const auto* const command = std::find_if(kCommands.begin(), kCommands.end(),
                                           [&](const Command& each) { return each.name == name; });
  if (command == kCommands.end())
    return call.fatal(
        concat("unknown command: '", name,
               "'. Usage: postfix start (or stop, reload, abort, flush, check, status, set-permissions, "
               "upgrade-configuration, logrotate)"));
  return command->run(call);
}

}  // namespace postfix
