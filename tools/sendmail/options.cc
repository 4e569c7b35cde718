#include "tools/sendmail/options.h"

#include <algorithm>
#include <array>
#include <span>

#include "libconf/text.h"
#include "tools/cli/completion.h"
#include "tools/cli/fatal.h"
#include "tools/mta/queue/queue_message.h"

namespace sendmail {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::equals_ignoring_case;
using libconf::Result;
using libconf::Severity;

/// Values are in the same word or the next.
constexpr cli::Option kOptions[] = {
    {'A', "", "NAME", 0, "Accepted for compatibility"},
    {'B', "", "BODY", 0, "What the body is"},
    {'C', "", "FILE", 0, "The directory of main.cf, or that file"},
    {'F', "", "NAME", 0, "The full name of the sender"},
    {'G', "", "", 0, "The message comes from elsewhere"},
    {'I', "", "", 0, "Build the alias databases"},
    {'L', "", "NAME", 0, "Accepted for compatibility"},
    {'N', "", "NOTIFY", 0, "When the sender wants to be told"},
    {'O', "", "OPTION", 0, "Accepted for compatibility"},
    {'R', "", "RETURN", 0, "What comes with a report to the sender"},
    {'U', "", "", 0, "Accepted for compatibility"},
    {'V', "", "ID", 0, "The envelope ID"},
    {'X', "", "VERP", 0, "V, and delimiters: a sender for each recipient"},
    {'b', "", "MODE", 0, "What to do; without it, take a message"},
    {'c', "", "", 0, "Accepted for compatibility"},
    {'e', "", "ERRORS", 0, "Accepted for compatibility"},
    {'f', "", "ADDRESS", 0, "The sender of the envelope"},
    {'h', "", "HOPS", 0, "Accepted for compatibility"},
    {'i', "", "", 0, "A line that is a single dot does not end the message"},
    {'m', "", "", 0, "Accepted for compatibility"},
    {'n', "", "", 0, "Not supported"},
    {'o', "", "OPTION", 0, "i, A and a name, or an option that is accepted for compatibility"},
    {'p', "", "PROTOCOL", 0, "Accepted for compatibility"},
    {'q', "", "WHAT", 0, "Try to deliver what is in the queue; also I and a queue ID, R and a site"},
    {'r', "", "ADDRESS", 0, "The sender of the envelope"},
    {'t', "", "", 0, "Take the recipients from the headers"},
    {'v', "", "", 0, "Have a report of the first attempt to deliver"},
    {'x', "", "", 0, "Accepted for compatibility"},
};
const cli::Option* find_option(char letter) {
  const auto* const found =
      std::find_if(std::begin(kOptions), std::end(kOptions),
                   [letter](const cli::Option& option) { return option.letter == letter; });
  return found == std::end(kOptions) ? nullptr : found;
}

struct ModeLetter {
  char letter;
  Mode mode;
  bool verifies = false;
};

constexpr std::array kModes = {
    ModeLetter{'H', Mode::kNothing},       ModeLetter{'d', Mode::kDaemon},
    ModeLetter{'h', Mode::kNothing},       ModeLetter{'i', Mode::kInitialize},
    ModeLetter{'l', Mode::kDaemon},        ModeLetter{'m', Mode::kDeliver},
    ModeLetter{'p', Mode::kList},          ModeLetter{'s', Mode::kStandAlone},
    ModeLetter{'v', Mode::kDeliver, true},
};

struct NamedNumber {
  std::string_view name;
  int number;
};

constexpr std::array kNotifyWords = {
    NamedNumber{"never", mta::kNotifyNever}, NamedNumber{"success", mta::kNotifySuccess},
    NamedNumber{"failure", mta::kNotifyFailure}, NamedNumber{"delay", mta::kNotifyDelay}};
constexpr std::array kReturnWords = {NamedNumber{"full", mta::kReturnFull},
                                     NamedNumber{"hdrs", mta::kReturnHeaders}};

template <class Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const NamedNumber& each : rows) names.emplace_back(each.name);
  return names;
}

constexpr cli::Values kValues[] = {
    {"BODY", cli::ValueKind::kWord,
     [] {
       return std::vector<std::string>{"7BIT", "8BITMIME"};
     }},
    {"MODE", cli::ValueKind::kWord,
     [] {
       std::vector<std::string> letters;
       for (const ModeLetter& each : kModes) letters.emplace_back(1, each.letter);
       return letters;
     }},
    {"NOTIFY", cli::ValueKind::kWord, [] { return names_of(kNotifyWords); }},
    {"RETURN", cli::ValueKind::kWord, [] { return names_of(kReturnWords); }},
};
constexpr cli::Syntax kSyntax = {.program = "sendmail",
                                 .description = {},
                                 .usage = {},
                                 .footer = {},
                                 .options = kOptions,
                                 .groups = {},
                                 .values = kValues};
constexpr std::string_view kCompletion = "--completion=";

const NamedNumber* find_word(std::span<const NamedNumber> words, std::string_view name) {
  const auto found = std::find_if(words.begin(), words.end(), [&](const NamedNumber& each) {
    return equals_ignoring_case(each.name, name);
  });
  return found == words.end() ? nullptr : &*found;
}

/// One by one, as they were typed.
class Interpreter {
 public:
  Interpreter(const libconf::Settings& settings, libconf::DiagnosticSink& sink)
      : settings_(settings), sink_(sink) {}

  Result<void> take(const Given& given);
  Options finish(std::vector<std::string> operands) {
    options_.recipients = std::move(operands);
    return std::move(options_);
  }

 private:
  Result<void> set_mode(std::string_view value);
  Result<void> set_queue_run(std::string_view value);
  Result<void> set_body_type(std::string_view value);
  Result<void> set_verp(std::string_view value);
  void set_option(std::string_view value);
  void set_notify(std::string_view value);
  void set_return(std::string_view value);
  void warn(std::string message) {
    sink_.report({.severity = Severity::kWarning, .message = std::move(message)});
  }

  const libconf::Settings& settings_;
  libconf::DiagnosticSink& sink_;
  Options options_;
};

Result<void> Interpreter::take(const Given& given) {
  switch (given.letter) {
    case 'B':
      return set_body_type(given.value);
    case 'F':
      options_.full_name = given.value;
      return {};
    case 'G':
      options_.is_gateway = true;
      return {};
    case 'I':
      options_.mode = Mode::kInitialize;
      return {};
    case 'N':
      set_notify(given.value);
      return {};
    case 'R':
      set_return(given.value);
      return {};
    case 'V':
      options_.envelope_id = given.value;
      return {};
    case 'X':
      return set_verp(given.value);
    case 'b':
      return set_mode(given.value);
    case 'f':
    case 'r':
      options_.sender = given.value;
      return {};
    case 'i':
      options_.ignores_dots = true;
      return {};
    case 'n':
      return fatal("-n option not supported");
    case 'o':
      set_option(given.value);
      return {};
    case 'q':
      return set_queue_run(given.value);
    case 't':
      options_.extracts_recipients = true;
      return {};
    case 'v':
      ++options_.verbosity;
      return {};
    default:
      return {};  // It means nothing here.
  }
}

Result<void> Interpreter::set_mode(std::string_view value) {
  const char letter = value.empty() ? ' ' : value.front();
  const auto* const found = std::find_if(kModes.begin(), kModes.end(),
                                         [&](const ModeLetter& each) { return each.letter == letter; });
  if (found == kModes.end()) return fatal(concat("unsupported: -b", std::string(1, letter)));
  options_.mode = found->mode;
  options_.verifies = found->verifies;
  return {};
}

Result<void> Interpreter::set_queue_run(std::string_view value) {
  if (value.empty()) {
    options_.mode = Mode::kFlush;
    return {};
  }
  const char letter = value.front();
  value.remove_prefix(1);
  if (letter >= '0' && letter <= '9') {
    options_.mode = Mode::kNothing;
    return {};
  }
  const bool is_site = letter == 'R';
  if (!is_site && letter != 'I') return fatal(concat("-q", std::string(1, letter), " is not implemented"));
  if (value.empty()) return fatal(is_site ? "specify: -qRsitename" : "specify: -qIqueueid");
  (is_site ? options_.flush_site : options_.flush_id) = value;
  return {};
}

Result<void> Interpreter::set_body_type(std::string_view value) {
  if (value == "8BITMIME") {
    options_.encoding = "8bit";
  } else if (value == "7BIT") {
    options_.encoding = "7bit";
  } else {
    return fatal("-B option needs 8BITMIME or 7BIT");
  }
  return {};
}

Result<void> Interpreter::set_verp(std::string_view value) {
  if (!value.starts_with('V')) return fatal(concat("unsupported: -X", value.substr(0, 1)));
  value.remove_prefix(1);
  if (value.empty()) {
    Result<std::string> delimiters = settings_.get("default_verp_delimiters");
    if (!delimiters) return delimiters.error();
    options_.verp_delimiters = std::move(*delimiters);
    return {};
  }
  const Result<std::string> filter = settings_.get("verp_delimiter_filter");
  if (!filter) return filter.error();
  if (value.size() != 2 || value.find_first_not_of(*filter) != std::string_view::npos)
    return fatal(concat("-V requires two characters from ", *filter));
  options_.verp_delimiters = value;
  return {};
}

void Interpreter::set_option(std::string_view value) {
  if (value.starts_with('A')) options_.alias_database = value.substr(1);
  if (value.starts_with('i')) options_.ignores_dots = true;
}

void Interpreter::set_notify(std::string_view value) {
  int flags = 0;
  bool is_bad = false;
  for (std::string_view rest = value;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const NamedNumber* const word = find_word(kNotifyWords, libconf::trim(rest.substr(0, comma)));
    if (word == nullptr)
      warn(concat("unknown DSN NOTIFY command value \"", rest.substr(0, comma), "\" in \"", value, "\""));
    is_bad |= word == nullptr;
    flags |= word == nullptr ? 0 : word->number;
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  // RFC 3461, section 4.1: NEVER stands alone.
  is_bad |= (flags & mta::kNotifyNever) != 0 && flags != mta::kNotifyNever;
  if (is_bad) {
    warn("bad -N option value -- ignored");
  } else {
    options_.notify = flags;
  }
}

void Interpreter::set_return(std::string_view value) {
  if (const NamedNumber* const word = find_word(kReturnWords, value)) {
    options_.return_flags = word->number;
  } else {
    warn("bad -R option value -- ignored");
  }
}

}  // namespace

std::optional<std::string> CommandLine::configuration() const {
  const auto found =
      std::find_if(given.rbegin(), given.rend(), [](const Given& each) { return each.letter == 'C'; });
  if (found == given.rend()) return std::nullopt;
  return found->value;
}

CommandLine split(const std::vector<std::string>& arguments) {
  CommandLine line;
  std::size_t next = 0;
  for (; next < arguments.size(); ++next) {
    const std::string& argument = arguments[next];
    if (argument.size() < 2 || argument[0] != '-') break;
    if (argument == "--") {
      ++next;
      break;
    }
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const char letter = argument[i];
      const std::string quoted = concat("'", std::string(1, letter), "'");
      const cli::Option* const option = find_option(letter);
      if (option == nullptr) {
        line.given.push_back({'?', "", concat("invalid option -- ", quoted)});
      } else if (option->argument.empty()) {
        line.given.push_back({letter});
      } else if (i + 1 < argument.size() || argument == "-q") {
        line.given.push_back({letter, argument.substr(i + 1)});
        break;
      } else if (next + 1 < arguments.size()) {
        line.given.push_back({letter, arguments[++next]});
        break;
      } else {
        line.given.push_back({'?', "", concat("option requires an argument -- ", quoted)});
      }
    }
  }
  line.operands.assign(arguments.begin() + static_cast<std::ptrdiff_t>(next), arguments.end());
  return line;
}

std::optional<std::string> completion(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || !arguments.front().starts_with(kCompletion)) return std::nullopt;
  const std::string shell = arguments.front().substr(kCompletion.size());
  const auto shells = cli::completion_shells();
  if (std::find(shells.begin(), shells.end(), shell) == shells.end()) return std::nullopt;
  return cli::completion_text(kSyntax, shell);
}

Result<Options> interpret(const CommandLine& line, const libconf::Settings& settings,
                          libconf::DiagnosticSink& sink) {
  Interpreter interpreter(settings, sink);
  for (const Given& given : line.given) {
    if (!given.complaint.empty()) return fatal(concat(given.complaint, "\nusage: sendmail [options]"));
    if (Result<void> taken = interpreter.take(given); !taken) return taken.error();
  }
  return interpreter.finish(line.operands);
}

}  // namespace sendmail
