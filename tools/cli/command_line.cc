#include "tools/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "libconf/text.h"
#include "tools/cli/completion.h"
#include "tools/cli/fatal.h"

namespace cli {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

constexpr std::string_view kHelp = "help";
constexpr Option kCompletion = {'\0', "completion", "SHELL", 0,
                                "Print completion of the command line, for bash, zsh or fish"};

/// Whether a program says what its options are.
const Option* find_help(const Syntax& syntax) {
  const auto help = std::find_if(syntax.options.begin(), syntax.options.end(),
                                 [](const Option& option) { return option.name == kHelp; });
  return help == syntax.options.end() ? nullptr : &*help;
}

/// Splits the command line as POSIX getopt() does: clusters of letters, values glued on or in the next
/// argument.
class Splitter {
 public:
  Splitter(const Syntax& syntax, std::span<const std::string> arguments)
      : syntax_(syntax), arguments_(arguments) {}

  Result<CommandLine> split() {
    bool only_long = false;  // Behind the first operand.
    for (; next_ < arguments_.size(); ++next_) {
      const std::string& argument = arguments_[next_];
      Result<void> added;
      if (argument == "--") {
        line_.operands.insert(line_.operands.end(),
                              arguments_.begin() + static_cast<std::ptrdiff_t>(next_) + 1, arguments_.end());
        break;
      }
      if (argument.starts_with("--")) {
        added = add_long(argument.substr(2));
      } else if (!only_long && argument.size() > 1 && argument[0] == '-') {
        added = add_cluster(argument);
      } else {
        line_.operands.push_back(argument);
        only_long = true;
      }
      if (!added) return added.error();
    }
    return std::move(line_);
  }

 private:
  template <class Matches>
  const Option* find(Matches matches) const {
    const auto option = std::find_if(syntax_.options.begin(), syntax_.options.end(), matches);
    return option == syntax_.options.end() ? nullptr : &*option;
  }

  Result<void> add_cluster(const std::string& argument) {
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const char letter = argument[i];
      const Option* option = find([&](const Option& o) { return o.letter == letter && letter != '\0'; });
      const std::string quoted = concat("'", std::string(1, letter), "'");
      if (option == nullptr) return usage(concat("invalid option -- ", quoted));
      if (option->argument.empty()) {
        line_.given.push_back({option, ""});
        continue;
      }
      if (i + 1 < argument.size()) {
        line_.given.push_back({option, argument.substr(i + 1)});
      } else if (next_ + 1 < arguments_.size()) {
        line_.given.push_back({option, arguments_[++next_]});
      } else {
        return usage(concat("option requires an argument -- ", quoted));
      }
      return {};
    }
    return {};
  }

  Result<void> add_long(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const Option* option = find([&](const Option& o) { return o.name == name; });
    if (option == nullptr && name == kCompletion.name && find_help(syntax_) != nullptr) option = &kCompletion;
    if (option == nullptr)
      return fatal(concat("unknown option --", name, " (", syntax_.program, " --help lists them)"));
    std::string value;
    if (equals != std::string_view::npos) {
      if (option->argument.empty()) return fatal(concat("option --", name, " takes no value"));
      value = text.substr(equals + 1);
    } else if (!option->argument.empty()) {
      if (next_ + 1 == arguments_.size())
        return fatal(concat("option --", name, " requires ", option->argument));
      value = arguments_[++next_];
    }
    const auto shells = completion_shells();
    if (option == &kCompletion && std::find(shells.begin(), shells.end(), value) == shells.end())
      return fatal(concat("option --", name, " ", value, ": need bash, zsh or fish"));
    line_.given.push_back({option, std::move(value)});
    return {};
  }

  Error usage(std::string_view complaint) const { return fatal(concat(complaint, "\n", syntax_.usage)); }

  const Syntax& syntax_;
  std::span<const std::string> arguments_;
  std::size_t next_ = 0;
  CommandLine line_;
};

}  // namespace

std::optional<std::string> CommandLine::value(std::string_view name) const {
  const auto found = std::find_if(given.rbegin(), given.rend(),
                                  [name](const Given& each) { return each.option->name == name; });
  if (found == given.rend()) return std::nullopt;
  return found->value;
}

Result<CommandLine> parse(const Syntax& syntax, std::span<const std::string> arguments) {
  return Splitter(syntax, arguments).split();
}

std::vector<Option> all_options(const Syntax& syntax) {
  std::vector<Option> options(syntax.options.begin(), syntax.options.end());
  if (const Option* const help = find_help(syntax)) {
    options.push_back(kCompletion);
    options.back().group = help->group;
  }
  return options;
}

std::optional<std::string> text_about(const Syntax& syntax, const CommandLine& line) {
  if (line.has(kHelp)) return help_text(syntax);
  if (const std::optional<std::string> shell = line.value(kCompletion.name))
    return completion_text(syntax, *shell);
  return std::nullopt;
}

std::string help_text(const Syntax& syntax) {
  CLI::App app{std::string(syntax.description), std::string(syntax.program)};
  app.set_help_flag();  // --help is a row of its own.
  for (const Option& option : all_options(syntax)) {
    const std::string name = option.name.empty() ? "" : concat("--", option.name);
    const std::string names = option.letter == '\0' || option.letter == '#'
                                  ? name
                                  : concat("-", std::string(1, option.letter), name.empty() ? "" : ",", name);
    const std::string help(option.help);
    CLI::Option* shown = option.argument.empty() ? app.add_flag_function(
                                                       names, [](std::int64_t) {}, help)
                                                 : app.add_option_function<std::string>(
                                                       names, [](const std::string&) {}, help);
    if (!option.argument.empty()) shown->type_name(std::string(option.argument));
    shown->group(std::string(syntax.groups[option.group]));
  }
  app.footer(std::string(syntax.footer));
  return app.help("", CLI::AppFormatMode::All);
}

}  // namespace cli
