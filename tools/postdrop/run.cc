#include "tools/postdrop/run.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/mta/daemon/trigger.h"
#include "tools/mta/submission/attribute_list.h"
#include "tools/postdrop/drop.h"

namespace postdrop {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'r', "records", "", 0, "Read the message in records, as sendmail writes it (always)"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Syntax kSyntax = {
    .program = "postdrop",
    .description = "Puts a message from standard input into the maildrop queue.",
    .usage = "usage: postdrop [-c config_dir] [-v]",
    .footer = "sendmail runs it. See postdrop(1).",
    .options = kOptions,
    .groups = kGroups,
};

/// read(2) ends when one of these comes, and so does the program, without leaving a file.
void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

/// Whoever does not read the answer does not get it.
void answer(int output, const mta::AttributeList& list) {
  const std::string text = mta::format_attribute_list(list);
  [[maybe_unused]] const ssize_t sent = ::write(output, text.data(), text.size());
}

Result<Drop::Limits> read_limits(const libconf::Settings& settings) {
  const Result<std::int64_t> line_length = settings.get_int("line_length_limit");
  if (!line_length) return line_length.error();
  const Result<std::int64_t> message_size = settings.get_int("message_size_limit");
  if (!message_size) return message_size.error();
  return Drop::Limits{.line_length = static_cast<std::size_t>(*line_length),
                      .message_size = static_cast<std::uint64_t>(*message_size)};
}

/// The message is safe; it waits there if nobody can be told.
Result<void> wake_pickup(mta::UserProgram& program) {
  const libconf::Settings& settings = program.settings();
  const Result<std::string> directory = settings.get("queue_directory");
  if (!directory) return directory.error();
  const Result<std::string> service = settings.get("pickup_service_name");
  if (!service) return service.error();
  const Result<std::chrono::seconds> limit = settings.get_duration("trigger_timeout");
  if (!limit) return limit.error();
  // The path of a socket is short, and that of queue_directory need not be.
  if (::chdir(directory->c_str()) != 0) return mta::queue_error("chdir ", *directory, errno);
  const Result<void> told = mta::trigger(concat("public/", *service), "W", *limit);
  if (!told) program.warn(told.error().message);
  return {};
}

/// Returns the exit status.
Result<int> drop_message(mta::UserProgram& program, int input, int output) {
  if (Result<void> allowed = program.check_may_submit(); !allowed) return allowed.error();
  const libconf::Settings& settings = program.settings();
  const Result<Drop::Limits> limits = read_limits(settings);
  if (!limits) return limits.error();
  Result<mta::LoginSenders> senders = mta::LoginSenders::open(program.tables());
  if (!senders) return senders.error();
  const Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(settings);
  if (!queue) return queue.error();
  const mta::QueueTime time = mta::queue_time_now();
  Result<mta::QueueFile> file = queue->create(mta::Queue::kMaildrop, time);
  if (!file) return file.error();
  answer(output, {{"protocol", "postdrop_protocol"}, {"queue_id", file->id()}});
  Drop drop(program, std::move(*file), time, *senders, *limits);
  Outcome outcome = drop.copy(input);
  if (outcome.kind == Outcome::Kind::kMalformed) return 1;
  // At the end of the input sendmail has given up, and said why.
  if (outcome.kind == Outcome::Kind::kAbandoned) return outcome.status == DropStatus::kOk ? 0 : 1;
  if (outcome.status == DropStatus::kOk) outcome.status = drop.commit(*queue);
  if (outcome.status == DropStatus::kOk)
    if (Result<void> woken = wake_pickup(program); !woken) program.warn(woken.error().message);
  const int status = static_cast<int>(outcome.status);
  answer(output, {{"status", std::to_string(status)}, {"reason", outcome.reason}});
  return status & 0xFF;
}

}  // namespace

int run(const std::vector<std::string>& arguments, int input, int output, std::ostream& out,
        std::ostream& err) {
  ::umask(022);
  catch_signals();
  const auto fatal = [&](std::string_view message) {
    cli::MessagePrinter("postdrop", err).fatal(message);
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fatal(line.error().message);
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  const auto program = mta::UserProgram::start("postdrop", directory, err);
  if (!program) return fatal(program.error().message);
  const Result<int> status = drop_message(**program, input, output);
  if (status) return *status;
  (*program)->fatal(status.error().message);
  return 1;
}

}  // namespace postdrop
