/// Command lines as Postfix users type them: POSIX getopt() letters, and Postkit's long names for them.
///
///     constexpr cli::Option kOptions[] = {{'q', "query", "KEY", 0, "Look KEY up"}, ...};
///     Result<cli::CommandLine> line = cli::parse({.program = "postmap", .options = kOptions, ...},
///     arguments); for (const cli::Given& given : line->given) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace cli {

/// What the value of an option, or an operand, is, for who completes it.
enum class ValueKind : std::uint8_t {
  kFile,
  kDirectory,
  kWord,   ///< One of Values::words.
  kTable,  ///< [type:]name, where Values::words are the types, with their colons.
};

/// What is known of the values with one placeholder. DIR, FILE and SHELL are known to all programs.
struct Values {
  std::string_view placeholder;
  ValueKind kind;
  std::vector<std::string> (*words)() = nullptr;
};

/// One option: `letter` is Postfix's name for it, or '\0'; `name` is the long one, or empty.
struct Option {
  char letter;
  std::string_view name;
  std::string_view argument;  ///< Its placeholder; empty: a flag.
  std::size_t group;          ///< Index into Syntax::groups.
  std::string_view help;
};

/// What a program understands. The texts are literals.
struct Syntax {
  std::string_view program;
  std::string_view description;
  std::string_view usage;   ///< What follows a complaint about a letter, "usage: ...", as Postfix has it.
  std::string_view footer;  ///< Ends the text of --help.
  std::span<const Option> options;
  std::span<const std::string_view> groups;  ///< Titles in the text of --help.
  std::span<const Values> values = {};       ///< For completion; see there for what is not here.
  std::string_view operand = {};             ///< The placeholder of the operands; empty: there are none.
};

struct Given {
  const Option* option;
  std::string value;  ///< Empty for a flag.
};

/// What was typed: options in their order, and the rest.
struct CommandLine {
  std::vector<Given> given;
  std::vector<std::string> operands;

  /// Whether the option with that long name is there.
  bool has(std::string_view name) const { return value(name).has_value(); }
  /// Its last value, "" of a flag; nothing: it is not there.
  std::optional<std::string> value(std::string_view name) const;
};

/// Reads the arguments behind the program's name. Letters end at the first argument that is none, as in
/// Postfix; long options are recognised behind it too, up to "--". Errors: kConfiguration; the message has
/// one line, or a complaint and the usage in two.
libconf::Result<CommandLine> parse(const Syntax& syntax, std::span<const std::string> arguments);

/// The options of a program: its own, and with --help also --completion, which all have in common.
std::vector<Option> all_options(const Syntax& syntax);

/// The text of --help.
std::string help_text(const Syntax& syntax);

/// What was asked of a program about itself, by --help or --completion. Nothing: it has work to do.
std::optional<std::string> text_about(const Syntax& syntax, const CommandLine& line);

}  // namespace cli
