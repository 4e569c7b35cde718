#include "tools/postlog/run.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <istream>
#include <memory>
#include <ostream>

#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "libconf/text.h"
#include "tools/cli/command_line.h"
#include "tools/mta/daemon/mail_log.h"
#include "tools/mta/submission/user_program.h"

namespace postlog {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Severity;

struct Priority {
  std::string_view name;
  Severity severity;
  std::string_view word;  ///< In front of the text, where the severity has none of its own.
  bool is_final;          ///< Postfix's programs end there, and wait so that nobody starts them too often.
};
constexpr std::array kPriorities = {
    Priority{"info", Severity::kInfo, "", false},       Priority{"warn", Severity::kWarning, "", false},
    Priority{"warning", Severity::kWarning, "", false}, Priority{"error", Severity::kError, "", false},
    Priority{"err", Severity::kError, "", false},       Priority{"fatal", Severity::kInfo, "fatal: ", true},
    Priority{"crit", Severity::kInfo, "fatal: ", true}, Priority{"panic", Severity::kInfo, "panic: ", true},
};

constexpr std::array<std::string_view, 1> kGroups = {"Options"};
constexpr cli::Option kOptions[] = {
    {'c', "config-directory", "DIR", 0, "The directory of main.cf; also: MAIL_CONFIG"},
    {'i', "pid", "", 0, "Accepted for compatibility; the process ID is always there"},
    {'p', "priority", "WORD", 0, "info, warn, error, fatal or panic"},
    {'t', "tag", "TEXT", 0, "The name in front of the line"},
    {'v', "verbose", "", 0, "Accepted for compatibility"},
    {'\0', "help", "", 0, "Show this text"},
};
constexpr cli::Values kValues[] = {{"WORD", cli::ValueKind::kWord, [] {
                                      std::vector<std::string> names;
                                      for (const Priority& each : kPriorities) names.emplace_back(each.name);
                                      return names;
                                    }}};
constexpr cli::Syntax kSyntax = {
    .program = "postlog",
    .description = "Writes to the mail log: the text, or each line of standard input.",
    .usage = "usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]",
    .footer = "See postlog(1).",
    .options = kOptions,
    .groups = kGroups,
    .values = kValues,
};

/// Where lines go: the log, and a terminal that somebody looks at.
class Writer {
 public:
  Writer(mta::MailLog& log, std::string tag, const Priority& priority, std::ostream* terminal)
      : log_(log), tag_(std::move(tag)), priority_(priority), terminal_(terminal) {}

  void write(std::string_view text) {
    const std::string line = concat(priority_.word, text);
    log_.write({.syslog_name = tag_, .program = ""}, priority_.severity, line);
    constexpr std::string_view kWords[] = {"", "warning: ", "error: "};
    if (terminal_ != nullptr)
      *terminal_ << tag_ << ": " << kWords[static_cast<std::size_t>(priority_.severity)]
                 << libconf::printable_utf8(line) << '\n';
    if (priority_.is_final) {
      if (terminal_ != nullptr) terminal_->flush();
      ::sleep(1);
    }
  }

 private:
  mta::MailLog& log_;
  std::string tag_;
  const Priority& priority_;
  std::ostream* terminal_;  ///< Null: there is none.
};

}  // namespace

int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  std::ostream* const terminal = ::isatty(STDERR_FILENO) != 0 ? &err : nullptr;
  // Without a terminal, what goes wrong is for the log, which is not open yet.
  const auto fails = [&](std::string_view message) {
    if (terminal != nullptr) err << "postlog: fatal: " << libconf::printable(message) << '\n';
    ::sleep(1);
    return 1;
  };
  const Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) {
    const std::string& message = line.error().message;
    const std::size_t newline = message.find('\n');
    err << "postlog: " << message.substr(0, newline) << '\n';
    return fails(newline == std::string::npos ? "" : message.substr(newline + 1));
  }
  if (const auto text = cli::text_about(kSyntax, *line)) {
    out << *text;
    return 0;
  }
  const std::string name = line->value("priority").value_or("info");
  const auto* const priority =
      std::find_if(kPriorities.begin(), kPriorities.end(),
                   [&name](const Priority& each) { return libconf::equals_ignoring_case(each.name, name); });
  if (priority == kPriorities.end()) return fails(concat("unknown -p value: \"", name, "\""));
  const std::string directory = mta::configuration_directory(line->value("config-directory"));
  const auto main_cf = libconf::MainCfDocument::load(concat(directory, "/main.cf"));
  if (!main_cf) return fails(main_cf.error().message);
  const libconf::Settings settings(&*main_cf, libconf::system_host());
  const auto log = mta::MailLog::open(settings);
  if (!log) return fails(log.error().message);
  const Result<std::string> syslog_name = settings.get("syslog_name");
  if (!syslog_name) return fails(syslog_name.error().message);
  Writer writer(**log, line->value("tag").value_or(concat(*syslog_name, "/postlog")), *priority, terminal);
  if (!line->operands.empty()) {
    std::string text = line->operands[0];
    for (std::size_t i = 1; i < line->operands.size(); ++i) text += concat(" ", line->operands[i]);
    writer.write(text);
    return 0;
  }
  for (std::string text; std::getline(in, text);) writer.write(text);
  return 0;
}

}  // namespace postlog
