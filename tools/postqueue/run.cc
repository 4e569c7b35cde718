#include "tools/postqueue/run.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/cli/fatal.h"
#include "tools/mta/daemon/trigger.h"
#include "tools/mta/queue/listing_protocol.h"
#include "tools/mta/queue/queue_lister.h"
#include "tools/mta/submission/user_program.h"
#include "tools/postqueue/flush.h"
#include "tools/postqueue/report.h"

namespace postqueue {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::ErrorKind;
using libconf::Result;

/// EX_UNAVAILABLE of sysexits.h, with which the program ends for whatever reason.
constexpr int kUnavailable = 69;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'f', "flush", "", 0, "Try to deliver all mail now"},
    {'i', "flush-id", "ID", 0, "Try to deliver one message now"},
    {'j', "json", "", 0, "List the queue, an object a line"},
    {'p', "list", "", 0, "List the queue, as mailq does"},
    {'s', "flush-site", "SITE", 0, "Try to deliver all mail for a domain now"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Syntax kSyntax = {
    .program = "postqueue",
    .description = "Lists the mail queue, and has mail delivered now.",
    .usage = "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site",
    .footer = "See postqueue(1).",
    .options = kOptions,
    .groups = kGroups,
};

constexpr const char* kMalformed = "malformed showq server response";

/// One call of the program.
struct Call {
  mta::UserProgram& program;
  const std::string& argument;  ///< Of the option that says what to do.
  std::ostream& out;

  void print(const std::string& text) const {
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
};

/// Root may do what he wants.
Result<void> check_user(mta::UserProgram& program, const std::string& parameter, std::string_view action) {
  if (::getuid() == 0) return {};
  Result<std::optional<std::string>> refused = program.user_outside(parameter);
  if (!refused) return refused.error();
  if (!*refused) return {};
  return fatal(concat("User ", **refused, "(", std::to_string(::getuid()), ") is not allowed to ", action));
}

Result<void> check_may_flush(const Call& call) {
  return check_user(call.program, "authorized_flush_users", "flush the mail queue");
}

/// Whether the queue can be read without the mail system: by root, and where all is of one user, by him.
bool owns_queue() {
  struct stat status {};
  return ::geteuid() == 0 || (::stat(".", &status) == 0 && status.st_uid == ::geteuid());
}

Result<void> read_queue(const Call& call, Report& report) {
  const Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(call.program.settings());
  if (!queue) return queue.error();
  Result<mta::QueueLister::Options> options = mta::QueueLister::Options::read(call.program.settings());
  if (!options) return options.error();
  mta::QueueLister lister(*queue, std::move(*options));
  for (;;) {
    const auto message = lister.next();
    if (!message) {
      call.program.warn(message.error().message);
      return fatal(kMalformed);
    }
    if (!*message) return {};
    call.print(report.show(**message));
  }
}

/// What the mail system says of its queue.
Result<void> receive(const Call& call, int socket, Report& report) {
  mta::ListingReader reader;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto message = reader.next();
    if (!message && !message.error().message.empty()) call.program.warn(message.error().message);
    if (!message) return fatal(kMalformed);
    if (*message) {
      call.print(report.show(**message));
      continue;
    }
    if (reader.is_at_end()) return {};
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return fatal(kMalformed);
    reader.feed({buffer.data(), static_cast<std::size_t>(size)});
  }
}

Result<void> list(const Call& call, Report::Form form) {
  const libconf::Settings& settings = call.program.settings();
  if (Result<void> allowed = check_user(call.program, "authorized_mailq_users", "view the mail queue");
      !allowed)
    return allowed;
  const Result<bool> shows_utf8 = settings.get_bool("smtputf8_enable");
  if (!shows_utf8) return shows_utf8.error();
  const Result<std::string> service = settings.get("showq_service_name");
  if (!service) return service.error();
  const Result<std::chrono::seconds> limit = settings.get_duration("ipc_timeout");
  if (!limit) return limit.error();
  const std::unique_ptr<Report> report = Report::make(form, *shows_utf8);
  const Result<libconf::FileDescriptor> socket = mta::connect_local(concat("public/", *service), *limit);
  Result<void> listed;
  if (socket) {
    listed = receive(call, socket->get(), *report);
  } else {
    const std::string& message = socket.error().message;
    const std::string reason =
        concat("Connect to the Postfix showq service", message.substr(message.rfind(": ")));
    if (socket.error().kind != ErrorKind::kTemporary) return fatal(reason);
    if (!owns_queue()) return fatal(concat("Queue report unavailable - mail system is down (", reason, ")"));
    call.program.warn(concat("Mail system is down -- accessing queue directly (", reason, ")"));
    listed = read_queue(call, *report);
  }
  if (listed) call.print(report->finish());
  call.out.flush();
  return listed;
}

Result<void> list_classic(const Call& call) { return list(call, Report::Form::kClassic); }
Result<void> list_json(const Call& call) { return list(call, Report::Form::kJson); }

Result<void> flush(const Call& call) {
  if (Result<void> allowed = check_may_flush(call); !allowed) return allowed;
  return flush_all(call.program);
}

Result<void> flush_one_site(const Call& call) {
  if (Result<void> allowed = check_may_flush(call); !allowed) return allowed;
  return flush_site(call.program, call.argument);
}

Result<void> flush_one_id(const Call& call) {
  if (Result<void> allowed = check_may_flush(call); !allowed) return allowed;
  return flush_id(call.program, call.argument);
}

struct Mode {
  char letter;
  Result<void> (*run)(const Call& call);
};
constexpr std::array kModes = {Mode{'f', flush}, Mode{'i', flush_one_id}, Mode{'j', list_json},
                               Mode{'p', list_classic}, Mode{'s', flush_one_site}};

/// Who stops reading in the middle of the list does not want the rest.
Result<void> carry_out(mta::UserProgram& program, const cli::Given* given, std::ostream& out) {
  if (given == nullptr) return fatal(std::string(kSyntax.usage));
  const Result<std::string> directory = program.settings().get("queue_directory");
  if (!directory) return directory.error();
  if (::chdir(directory->c_str()) != 0)
    return fatal(concat("chdir ", *directory, ": ", std::strerror(errno)));
  const auto* const mode = std::find_if(kModes.begin(), kModes.end(), [given](const Mode& each) {
    return each.letter == given->option->letter;
  });
  return mode->run({program, given->value, out});
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const auto fails = [&](std::string_view message) {
    cli::MessagePrinter("postqueue", err).fatal(message);
    return kUnavailable;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fails(line.error().message);
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const cli::Given* mode = nullptr;
  for (const cli::Given& given : line->given) {
    const char letter = given.option->letter;
    if (letter == 'c' || letter == 'v') continue;
    if (mode != nullptr) return fails(kSyntax.usage);
    mode = &given;
  }
  if (!line->operands.empty()) return fails(kSyntax.usage);
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  const auto program = mta::UserProgram::start("postqueue", directory, err);
  if (!program) return fails(program.error().message);
  const Result<void> done = carry_out(**program, mode, out);
  if (done) return 0;
  (*program)->fatal(done.error().message);
  return kUnavailable;
}

}  // namespace postqueue
