#include "tools/postmulti/iterator.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "libconf/text.h"

namespace postmulti {

using libconf::concat;
using libconf::Result;

namespace {

constexpr std::size_t kNameWidth = 16;
constexpr std::size_t kStateWidth = 10;

std::string padded(std::string_view text, std::size_t width) {
  std::string field(text.empty() ? "-" : text);
  field.resize(std::max(field.size() + 1, width), ' ');
  return field;
}

/// What a command gets to know by its environment: what the primary instance says of all, and each of itself.
void enter(const Iteration& iteration, const Instance& instance) {
  const auto set = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): in a child that has one thread.
  };
  const libconf::Settings& shared = iteration.primary.configuration->settings();
  for (const char* const name : {"command_directory", "daemon_directory"})
    set(name, shared.get(name).value_or(""));
  set("MAIL_CONFIG", instance.config_directory);
  set("config_directory", instance.config_directory);
  set("queue_directory", instance.queue_directory);
  set("data_directory", instance.data_directory);
  set("multi_instance_name", instance.name);
  set("multi_instance_group", instance.group);
  set("multi_instance_enable", instance.is_enabled ? "yes" : "no");
  if (iteration.is_verbose) set("MAIL_VERBOSE", "");
  const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): likewise.
  set("PATH", concat(shared.get("command_directory").value_or(""), path != nullptr ? ":" : "",
                     path != nullptr ? path : ""));
}

bool run(const Iteration& iteration, const Instance& instance, const std::vector<std::string>& command) {
  const pid_t child = ::fork();
  if (child < 0) {
    iteration.messages.fatal(concat("fork: ", std::strerror(errno)));
    return false;
  }
  if (child == 0) {
    enter(iteration, instance);
    std::vector<std::string> words = command;
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    iteration.messages.fatal(concat("execvp ", command.front(), ": ", std::strerror(errno)));
    std::_Exit(1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// What becomes of a command where an instance is not enabled.
enum class WhenDisabled { kRun, kCheck, kSkip };
struct CommandKind {
  const char* parameter;  ///< The commands of this kind.
  WhenDisabled when_disabled;
  bool is_reversed;
};
constexpr std::array kCommandKinds = {
    CommandKind{"postmulti_start_commands", WhenDisabled::kCheck, false},
    CommandKind{"postmulti_stop_commands", WhenDisabled::kSkip, true},
    CommandKind{"postmulti_control_commands", WhenDisabled::kSkip, false},
};
constexpr CommandKind kOtherKind = {"", WhenDisabled::kRun, false};

Result<CommandKind> kind_of(const libconf::Settings& settings, const std::string& command) {
  for (const CommandKind& each : kCommandKinds) {
    const auto commands = settings.get_list(each.parameter);
    if (!commands) return commands.error();
    if (std::find(commands->begin(), commands->end(), command) != commands->end()) return each;
  }
  return kOtherKind;
}

}  // namespace

void list(const std::vector<const Instance*>& instances, std::ostream& out) {
  for (const Instance* const each : instances)
    out << padded(each->name, kNameWidth) << padded(each->group, kNameWidth)
        << padded(each->is_enabled ? "y" : "n", kStateWidth) << each->config_directory << '\n';
  out.flush();
}

bool run_in_each(const Iteration& iteration, const std::vector<std::string>& command) {
  bool is_good = true;
  for (const Instance* const each : iteration.instances) is_good = run(iteration, *each, command) && is_good;
  return is_good;
}

Result<bool> run_postfix_in_each(Iteration iteration, const std::string& postfix_program,
                                 const std::vector<std::string>& arguments) {
  const Result<CommandKind> kind = kind_of(iteration.primary.configuration->settings(), arguments.front());
  if (!kind) return kind.error();
  if (kind->is_reversed) std::reverse(iteration.instances.begin(), iteration.instances.end());
  std::vector<std::string> command = {postfix_program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  if (kind->when_disabled == WhenDisabled::kSkip)
    std::erase_if(iteration.instances, [](const Instance* each) { return !each->is_enabled; });
  if (iteration.instances.empty()) return libconf::configuration_error("No matching instances");
  bool is_good = true;
  for (const Instance* const each : iteration.instances) {
    const bool is_as_told = each->is_enabled || kind->when_disabled == WhenDisabled::kRun;
    is_good =
        run(iteration, *each, is_as_told ? command : std::vector<std::string>{postfix_program, "check"}) &&
        is_good;
  }
  return is_good;
}

}  // namespace postmulti
