#include "tools/postcat/run.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ostream>

#include "libconf/handle.h"
#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/cli/fatal.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/submission/user_program.h"
#include "tools/postcat/printer.h"

namespace postcat {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Error;
using libconf::FileDescriptor;
using libconf::Result;

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'b', "body", "", 0, "Show the body"},
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'d', "types", "", 0, "Show the type of each record as a number"},
    {'e', "envelope", "", 0, "Show the envelope"},
    {'h', "header", "", 0, "Show the headers of the message"},
    {'o', "offsets", "", 0, "Show where each record is in the file"},
    {'q', "queue", "", 0, "The arguments are queue IDs"},
    {'r', "raw", "", 0, "Accepted for compatibility"},
    {'s', "skip", "OFFSET", 0, "Start with the record there"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Syntax kSyntax = {
    .program = "postcat",
    .description = "Shows what is in queue files.",
    .usage =
        "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope "
        "records)] [-h (header text)] [-q (access queue)] [-v] [file(s)...]",
    .footer = "Without -b, -e and -h it shows all. See postcat(1).",
    .options = kOptions,
    .groups = kGroups,
    .operand = "FILE",
};

struct Options {
  View view;
  bool takes_ids = false;
};

Result<std::uint64_t> read_offset(const std::string& text) {
  std::int64_t offset = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (failure != std::errc() || end != text.data() + text.size() || offset < 0)
    return fatal(concat("bad offset: ", text));
  return static_cast<std::uint64_t>(offset);
}

Result<Options> interpret(const cli::CommandLine& line) {
  Options options;
  View& view = options.view;
  for (const cli::Given& given : line.given) {
    if (given.option->letter == 's') {
      const Result<std::uint64_t> offset = read_offset(given.value);
      if (!offset) return offset.error();
      view.start = *offset;
    }
    for (const auto& [letter, flag] : {std::pair{'b', &view.body},
                                       {'d', &view.types},
                                       {'e', &view.envelope},
                                       {'h', &view.header},
                                       {'o', &view.offsets},
                                       {'q', &options.takes_ids}})
      if (given.option->letter == letter) *flag = true;
  }
  if (!view.body && !view.envelope && !view.header) view.body = view.envelope = view.header = true;
  return options;
}

/// The directories that have messages, in the order in which they are searched.
constexpr std::array<std::string_view, 6> kSearched = {"maildrop", "incoming", "active",
                                                       "deferred", "hold",     "saved"};

struct Source {
  std::string name;
  FileDescriptor file;
};

/// A queue file by its ID. The queue is the working directory.
Result<Source> find_message(const mta::QueueDirectory& queue, const std::string& id) {
  if (!mta::is_queue_id(id)) return fatal(concat("bad mail queue ID: ", id));
  for (const std::string_view directory : kSearched) {
    std::string path = queue.log_path_of(directory, id);
    path.erase(0, queue.path().size() + 1);
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file) return Source{std::move(path), std::move(file)};
    if (errno != ENOENT && errno != ENOTDIR)
      return fatal(concat("open queue file ", id, ": ", std::strerror(errno)));
  }
  return fatal(concat("open queue file ", id, ": ", std::strerror(ENOENT)));
}

Result<Source> open_file(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fatal(concat("open ", path, ": ", std::strerror(errno)));
  return Source{path, std::move(file)};
}

class Program {
 public:
  Program(const Options& options, std::ostream& out, cli::MessagePrinter& messages)
      : options_(options), printer_(options.view, out, messages) {}

  Result<void> prepare(const std::string& directory, cli::MessagePrinter& messages) {
    Result<libconf::MainCfDocument> document =
        libconf::MainCfDocument::load(concat(directory, "/main.cf"), messages, directory);
    if (!document) return document.error();
    const libconf::Settings settings(&*document, libconf::system_host());
    if (!options_.takes_ids) return {};
    Result<mta::QueueDirectory> queue = mta::QueueDirectory::open(settings);
    if (!queue) return queue.error();
    queue_.emplace(std::move(*queue));
    if (::chdir(queue_->path().c_str()) != 0)
      return fatal(concat("chdir ", queue_->path(), ": ", std::strerror(errno)));
    return {};
  }

  Result<void> show(const std::string& argument) {
    const Result<Source> source = queue_ ? find_message(*queue_, argument) : open_file(argument);
    if (!source) return source.error();
    return printer_.print(source->file.get(), source->name);
  }

  Result<void> show(int input) { return printer_.print(input, "stdin"); }

 private:
  const Options& options_;
  Printer printer_;
  std::optional<mta::QueueDirectory> queue_;
};

}  // namespace

int run(const std::vector<std::string>& arguments, int input, std::ostream& out, std::ostream& err) {
  cli::MessagePrinter messages("postcat", err);
  messages.show_utf8(true);
  const auto fail = [&](const Error& error) {
    out.flush();
    messages.fatal(error.message);
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return fail(line.error());
  const Result<Options> options = interpret(*line);
  if (!options) return fail(options.error());
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  Program program(*options, out, messages);
  if (const Result<void> prepared = program.prepare(directory, messages); !prepared)
    return fail(prepared.error());
  if (line->operands.empty())
    if (const Result<void> shown = program.show(input); !shown) return fail(shown.error());
  for (const std::string& operand : line->operands)
    if (const Result<void> shown = program.show(operand); !shown) return fail(shown.error());
  out.flush();
  return 0;
}

}  // namespace postcat
