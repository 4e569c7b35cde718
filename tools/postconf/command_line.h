/// The command line of postconf: Postfix's single-letter options, and Postkit's long ones.
///
///     Result<Options> options = parse_command_line(arguments);
///     if (options->has('n')) ...
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace postconf {

/// What the user asked for. A letter stands for the Postfix option of that name.
struct Options {
  std::array<int, 128> letters{};  ///< How often each letter was given.

  std::optional<std::string> config_directory;  ///< -c
  std::string classes;                          ///< -C
  std::vector<std::string> overrides;           ///< -o
  std::string tls_mode;                         ///< -T

  bool origin = false;
  bool dry_run = false;
  bool strict = false;
  bool changed = false;
  bool apply = false;
  bool check = false;
  bool help = false;
  bool version = false;
  std::optional<std::string> explain;
  std::optional<std::string> diff;
  std::optional<std::string> migrate_db;
  std::optional<std::string> service;

  std::vector<std::string> arguments;  ///< What is left: names, name=value, patterns.
  std::string help_text;               ///< Set with `help`: of --help, or of --completion.

  bool has(char letter) const { return letters[static_cast<unsigned char>(letter)] > 0; }
  int count(char letter) const { return letters[static_cast<unsigned char>(letter)]; }
  /// The first of `set` that was given, or '\0'.
  char first_of(std::string_view set) const;
};

/// Parses the arguments behind the program's name. Single-letter options end at the first argument that is
/// none, as in Postfix; long options are recognised behind it too, up to "--". Errors carry one line or more
/// for the user: the lines before the last are complete, the last one is a fatal error's text.
libconf::Result<Options> parse_command_line(std::span<const std::string> arguments);

}  // namespace postconf
