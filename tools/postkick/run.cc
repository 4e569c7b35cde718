#include "tools/postkick/run.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <tuple>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/mta/daemon/trigger.h"
#include "tools/mta/submission/user_program.h"

namespace postkick {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Syntax kSyntax = {
    .program = "postkick",
    .description = "Sends a request to a service of the mail system.",
    .usage = "usage: postkick [-c config_dir] [-v] class service request",
    .footer = "See postkick(1).",
    .options = kOptions,
    .groups = kGroups,
};

/// Class, service and request.
constexpr std::size_t kOperands = 3;

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const auto fails = [&](std::string_view message) {
    cli::MessagePrinter("postkick", err).fatal(message);
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fails(line.error().message);
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  if (line->operands.size() != kOperands) return fails(kSyntax.usage);
  const auto program =
      mta::UserProgram::start("postkick", mta::configuration_directory(line->value("config-directory")), err);
  if (!program) return fails(program.error().message);
  const libconf::Settings& settings = (*program)->settings();
  const Result<std::string> directory = settings.get("queue_directory");
  const Result<std::chrono::seconds> limit = settings.get_duration("application_event_drain_time");
  if (!directory) return fails(directory.error().message);
  if (!limit) return fails(limit.error().message);
  if (::chdir(directory->c_str()) != 0)
    return fails(concat("chdir ", *directory, ": ", std::strerror(errno)));
  const auto& [kind, service, request] = std::tie(line->operands[0], line->operands[1], line->operands[2]);
  const Result<void> told = mta::trigger(concat(kind, "/", service), request, *limit);
  if (told) return 0;
  // As Postfix: a service that nobody listens for is known by its name.
  if (told.error().message.starts_with("unable to look up")) (*program)->warn(told.error().message);
  (*program)->warn(
      concat("Cannot contact class ", kind, " service ", service, " - perhaps the mail system is down"));
  return 1;
}

}  // namespace postkick
