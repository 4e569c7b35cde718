#include "tools/mta/delivery/command_answer.h"

#include <sysexits.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "libconf/text.h"
#include "tools/mta/smtp/enhanced_status.h"

namespace mta {
namespace {

using libconf::concat;
using libconf::Result;
using End = CommandResult::End;

struct ExitMeaning {
  int status;
  std::string_view code;
  std::string_view text;
};

constexpr std::array kExitMeanings = {
    ExitMeaning{EX_USAGE, "5.3.0", "command line usage error"},
    ExitMeaning{EX_DATAERR, "5.6.0", "data format error"},
    ExitMeaning{EX_NOINPUT, "5.3.0", "cannot open input"},
    ExitMeaning{EX_NOUSER, "5.1.1", "user unknown"},
    ExitMeaning{EX_NOHOST, "5.1.2", "host name unknown"},
    ExitMeaning{EX_UNAVAILABLE, "5.3.0", "service unavailable"},
    ExitMeaning{EX_SOFTWARE, "5.3.0", "internal software error"},
    ExitMeaning{EX_OSERR, "4.3.0", "system resource problem"},
    ExitMeaning{EX_OSFILE, "5.3.0", "critical OS file missing"},
    ExitMeaning{EX_CANTCREAT, "5.2.0", "can't create user output file"},
    ExitMeaning{EX_IOERR, "5.3.0", "input/output error"},
    ExitMeaning{EX_TEMPFAIL, "4.3.0", "temporary failure"},
    ExitMeaning{EX_PROTOCOL, "5.5.0", "remote error in protocol"},
    ExitMeaning{EX_NOPERM, "5.7.0", "permission denied"},
    ExitMeaning{EX_CONFIG, "5.3.5", "local configuration error"},
};

std::string quoted(std::string_view what, std::string_view command) {
  return concat(what, ": \"", command, "\"");
}

RecipientAnswer failure(std::string_view code, std::string text, const CommandResult& ended) {
  const std::string output = printable_output(ended.output);
  if (!output.empty()) text += concat(". Command output: ", output);
  RecipientAnswer answer = undelivered(std::string(code), text);
  answer.status.diagnostic = std::move(text);
  answer.status.diagnostic_type = "x-unix";
  return answer;
}

/// The command says itself what it is.
RecipientAnswer own_words(std::string_view output, std::size_t length, RecipientReporter& log) {
  std::string code(output.substr(0, length));
  std::string text = printable_output(libconf::trim_left(output.substr(length)));
  if (code.starts_with('2')) {
    log.log(libconf::Severity::kWarning, concat("bounce_append: ignoring dsn code \"", code, "\""));
    code = "5.0.0";
  }
  RecipientAnswer answer = undelivered(std::move(code), text);
  answer.status.diagnostic = std::move(text);
  answer.status.diagnostic_type = "x-unix";
  return answer;
}

RecipientAnswer exit_answer(const CommandResult& ended, std::string_view command, RecipientReporter& log) {
  if (!ended.reason.empty()) log.log(libconf::Severity::kInfo, concat("fatal: ", ended.reason));
  const auto* const meaning =
      std::find_if(kExitMeanings.begin(), kExitMeanings.end(),
                   [&](const ExitMeaning& each) { return each.status == ended.number; });
  if (const std::size_t length = status_length(ended.output.substr(0, ended.output.find('\n'))); length > 0)
    return own_words(ended.output, length, log);
  if (meaning != kExitMeanings.end()) return failure(meaning->code, std::string(meaning->text), ended);
  return failure("5.3.0", quoted(concat("Command died with status ", std::to_string(ended.number)), command),
                 ended);
}

/// A word of import_environment or export_environment.
struct Variable {
  std::string name;
  std::optional<std::string> value;  ///< Nothing: that of the process.
};

std::vector<Variable> variables(std::string_view list) {
  std::vector<Variable> found;
  while (const auto word = libconf::next_braced_word(list, libconf::kListSeparators)) {
    const bool is_braced = word->starts_with('{') && word->ends_with('}');
    const std::string_view text = is_braced ? libconf::trim(word->substr(1, word->size() - 2)) : *word;
    const std::size_t equals = text.find('=');
    Variable& variable = found.emplace_back();
    variable.name = libconf::trim(text.substr(0, equals));
    if (equals != std::string_view::npos) variable.value = libconf::trim_left(text.substr(equals + 1));
  }
  return found;
}

/// What the mail system has in its environment, as import_environment allows it.
std::optional<std::string> value_of(const std::string& name, const std::vector<Variable>& imported) {
  const auto found =
      std::find_if(imported.begin(), imported.end(), [&](const Variable& each) { return each.name == name; });
  if (found == imported.end()) return std::nullopt;
  if (found->value) return found->value;
  const char* const value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

std::string printable_output(std::string_view output) {
  std::string text(output);
  for (char& each : text) {
    if (libconf::is_space(each) && each != '\r') {
      each = ' ';
    } else if (each < ' ' || each > '~') {
      each = '_';
    }
  }
  return text;
}

RecipientAnswer command_answer(const CommandResult& ended, std::string_view command, RecipientReporter& log) {
  switch (ended.end) {
    case End::kNotRun:
      log.log(libconf::Severity::kInfo, concat("fatal: ", ended.reason));
      return undelivered("4.3.0", "temporary failure");
    case End::kTimeLimit:
      log.log(libconf::Severity::kWarning, "pipe_command_read: read time limit exceeded");
      return failure("5.3.0", quoted("Command time limit exceeded", command), ended);
    case End::kSignal:
      return failure(
          "4.3.0", quoted(concat("Command died with signal ", std::to_string(ended.number)), command), ended);
    case End::kExit:
      break;
  }
  if (ended.number != 0) return exit_answer(ended, command, log);
  std::string output = printable_output(ended.output);
  output.erase(output.find_last_not_of(' ') + 1);
  return delivered(std::move(output));
}

Result<std::vector<std::string>> exported_environment(const libconf::Settings& settings) {
  const Result<std::string> list = settings.get("export_environment");
  if (!list) return list.error();
  const Result<std::string> imported = settings.get("import_environment");
  if (!imported) return imported.error();
  const Result<std::string> directory = settings.get("config_directory");
  if (!directory) return directory.error();
  const std::vector<Variable> known = variables(*imported);
  std::vector<std::string> environment;
  bool has_path = false;
  for (const Variable& each : variables(*list)) {
    has_path = has_path || each.name == "PATH";
    std::optional<std::string> value = each.value;
    if (!value && each.name == "MAIL_CONFIG") value = *directory;
    if (!value) value = value_of(each.name, known);
    if (value) environment.push_back(concat(each.name, "=", *value));
  }
  if (!has_path) environment.emplace_back("PATH=/usr/bin:/bin");
  return environment;
}

}  // namespace mta
