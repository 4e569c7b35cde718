#include "tools/qshape/run.h"

#include <unistd.h>

#include <algorithm>

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <ostream>

#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/cli/console.h"
#include "tools/mta/queue/queue_directory.h"
#include "tools/mta/submission/user_program.h"
#include "tools/qshape/queue_shape.h"
#include "tools/qshape/shape_report.h"

namespace qshape {
namespace {

using libconf::concat;
using libconf::Result;

constexpr std::array<std::string_view, 2> kGroups = {"Options", "Postkit"};
constexpr cli::Option kOptions[] = {
    {'b', "buckets", "N", 0, "So many classes of age (10)"},
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'l', "linear", "", 0, "Classes of age are of the same length"},
    {'m', "min-subdomains", "N", 0, "With -p: so many that a parent domain is shown (5)"},
    {'N', "batch-messages", "N", 0,
     "On a terminal, what is known is shown after each so many messages (1000)"},
    {'n', "batch-domains", "N", 0, "So many rows, on a terminal (20)"},
    {'p', "parents", "", 0, "Parent domains, too"},
    {'s', "senders", "", 0, "Domains of senders, not of recipients"},
    {'t', "bucket-time", "MINUTES", 0, "The limit of the first class of age (5)"},
    {'w', "width", "COLUMNS", 0, "The width of the output (80)"},
    {'\0', "plot", "", 1, "A bar for each class of age, in place of the table"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Values kValues[] = {{"QUEUE", cli::ValueKind::kWord, mta::all_queue_names}};
constexpr cli::Syntax kSyntax = {
    .program = "qshape",
    .description = "Shows how the mail in the queue is spread over domains and ages.",
    .usage =
        "usage: qshape [-s] [-p] [-l] [-m min_subdomains] [-b bucket_count] [-t bucket_time] "
        "[-w terminal_width] [-N batch_msg_count] [-n batch_top_domains] [-c config_directory] "
        "[queue_name ...]",
    .footer = "See qshape(1).",
    .options = kOptions,
    .groups = kGroups,
    .values = kValues,
    .operand = "QUEUE",
};

constexpr int kBadUsage = 255;

/// The value of an option, 0 where it is no number; `usual` where it is not given.
std::size_t number_or_zero(const cli::CommandLine& line, std::string_view name, std::size_t usual) {
  const std::optional<std::string> text = line.value(name);
  if (!text) return usual;
  std::size_t value = 0;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

/// The value of an option; `usual` where it is not given or no number above 0.
std::size_t number(const cli::CommandLine& line, std::string_view name, std::size_t usual) {
  const std::size_t value = number_or_zero(line, name, usual);
  return value > 0 ? value : usual;
}

/// How the counts are shown, by the options.
class Presentation {
 public:
  Presentation(const cli::CommandLine& line, const AgeClasses& ages)
      : ages_(ages),
        width_(std::clamp(number(line, "width", kWidth), kWidth, kMostWidth)),
        minimal_subdomains_(line.has("parents") ? number(line, "min-subdomains", kSubdomains) : 0),
        is_plot_(line.has("plot")) {
    if (::isatty(STDOUT_FILENO) == 0) return;
    rows_ = number_or_zero(line, "batch-domains", kRowsOnTerminal);
    batch_ = number_or_zero(line, "batch-messages", kBatch);
  }

  /// After how many messages a terminal shows what is known; 0: at the end alone.
  std::size_t batch() const { return batch_; }

  std::string text(const QueueShape& shape) const {
    if (is_plot_) return shape_plot(ages_, shape.total(), width_);
    std::vector<DomainShape> domains = shape.domains(minimal_subdomains_);
    // The row of the total is one of them.
    if (rows_ > 0 && domains.size() >= rows_) domains.resize(rows_ - 1);
    return shape_table(ages_, shape.total(), domains, width_);
  }

  /// What makes room on a terminal for the next view: as clear(1), for those that are in use.
  std::string_view clearing() const {
    const char* const terminal = std::getenv("TERM");
    const bool can =
        batch_ > 0 && terminal != nullptr && *terminal != '\0' && std::string_view(terminal) != "dumb";
    return can ? "\x1b[H\x1b[2J\x1b[3J" : "";
  }

 private:
  static constexpr std::size_t kSubdomains = 5;
  static constexpr std::size_t kWidth = 80;
  static constexpr std::size_t kMostWidth = 100'000;
  static constexpr std::size_t kRowsOnTerminal = 20;
  static constexpr std::size_t kBatch = 1000;

  AgeClasses ages_;
  std::size_t width_;
  std::size_t minimal_subdomains_;
  bool is_plot_;
  std::size_t rows_ = 0;  ///< 0: all.
  std::size_t batch_ = 0;
};

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  cli::MessagePrinter messages("qshape", err);
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) {
    messages.fatal(line.error().message);
    return kBadUsage;
  }
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  const auto main_cf = libconf::MainCfDocument::load(concat(directory, "/main.cf"));
  const auto fails = [&messages](const libconf::Error& error) {
    messages.fatal(error.message);
    return 1;
  };
  if (!main_cf) return fails(main_cf.error());
  const libconf::Settings settings(&*main_cf, libconf::system_host());
  const Result<std::string> top = settings.get("queue_directory");
  if (!top) return fails(top.error());

  constexpr std::size_t kBuckets = 10;
  constexpr std::size_t kMostBuckets = 1000;
  constexpr std::size_t kMinutes = 5;
  constexpr std::size_t kMostMinutes = 1'000'000;
  const AgeClasses ages{.buckets = std::min(number(*line, "buckets", kBuckets), kMostBuckets),
                        .unit = std::min(number(*line, "bucket-time", kMinutes), kMostMinutes),
                        .is_linear = line->has("linear")};
  const Presentation presentation(*line, ages);
  const auto show = [&](const QueueShape& shape) {
    out << presentation.clearing() << presentation.text(shape) << std::flush;
  };
  QueueShape shape({.side = line->has("senders") ? ShapeSide::kSenders : ShapeSide::kRecipients,
                    .ages = ages,
                    .now = std::time(nullptr),
                    .batch = presentation.batch(),
                    .at_batch = show});
  std::vector<std::string> queues = line->operands;
  if (queues.empty()) queues = {"incoming", "active"};
  for (const std::string& queue : queues)
    shape.add_directory(queue.starts_with('/') ? queue : concat(*top, "/", queue), queue, messages);

  show(shape);
  return 0;
}

}  // namespace qshape
