/// The command lines of postmap and postalias, and all else in which the two differ.
///
///     Result<Options> options = parse_command_line(kPostmap, arguments);
///     if (options->query) ...
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"
#include "libmaps/source_entries.h"

namespace postmap {

/// A program of this family.
struct Program {
  std::string_view name;
  std::string_view description;
  std::string_view usage;
  std::string_view footer;
  libmaps::SourceFormat format;
  std::string_view key_end;                ///< Follows a key in the output of -s and -q -.
  std::string_view refused_letters = {};   ///< Of the family's options.
  std::string_view tables_parameter = {};  ///< Names the tables; the command line names none.
};
extern const Program kPostmap;
extern const Program kPostalias;
extern const Program kNewaliases;  ///< Builds the tables of alias_database: newaliases(1).

/// What the user asked for.
struct Options {
  std::optional<std::string> config_directory;  ///< -c
  std::optional<std::string> remove;            ///< -d
  std::optional<std::string> query;             ///< -q
  bool body = false;                            ///< -b
  bool no_fold = false;                         ///< -f
  bool files = false;                           ///< -F
  bool headers = false;                         ///< -h
  bool incremental = false;                     ///< -i
  bool json = false;                            ///< -j
  bool mime = false;                            ///< -m
  bool no_null = false;                         ///< -n
  bool with_null = false;                       ///< -N
  bool keep_privileges = false;                 ///< -o
  bool default_mode = false;                    ///< -p
  bool replace = false;                         ///< -r
  bool dump = false;                            ///< -s
  bool no_utf8 = false;                         ///< -u
  bool force_utf8 = false;                      ///< -U
  bool verbose = false;                         ///< -v
  bool ignore_duplicates = false;               ///< -w

  bool all = false;
  bool stale = false;
  bool dry_run = false;
  bool verify = false;
  bool test = false;
  bool help = false;
  bool version = false;

  std::vector<std::string> tables;  ///< [type:]name; with `test` files, too.
  std::string help_text;            ///< Set with `help`: of --help, or of --completion.

  bool asks_message() const { return body || headers; }
};

/// Parses the arguments behind the program's name. Errors carry a line or two for the user: see cli::parse().
libconf::Result<Options> parse_command_line(const Program& program, std::span<const std::string> arguments);

}  // namespace postmap
