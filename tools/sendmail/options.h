/// The command line of sendmail(1): letters as Sendmail's users know them, in clusters, before the first
/// operand.
///
///     CommandLine line = split(arguments);
///     Result<Options> options = interpret(line, settings, sink);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"

namespace sendmail {

/// A letter and its value. Of what is no option, `complaint` says why.
struct Given {
  char letter;
  std::string value = {};
  std::string complaint = {};
};

struct CommandLine {
  std::vector<Given> given;
  std::vector<std::string> operands;

  /// Of -C, the last one.
  std::optional<std::string> configuration() const;
};

/// Takes the arguments behind the program's name apart, as getopt(3) does.
CommandLine split(const std::vector<std::string>& arguments);

/// What `--completion=SHELL` asks for: completion of the command line, for bash, zsh or fish. Nothing: the
/// arguments are others.
std::optional<std::string> completion(const std::vector<std::string>& arguments);

enum class Mode {
  kDeliver,     ///< Takes a message (-bm).
  kStandAlone,  ///< Speaks SMTP (-bs).
  kList,        ///< -bp
  kFlush,       ///< -q
  kInitialize,  ///< Builds the alias databases (-bi, -I).
  kDaemon,      ///< Starts the mail system (-bd, -bl).
  kNothing,     ///< Modes of Sendmail that mean nothing here (-bh, -bH, -qTIME).
};

/// What is to be done. Addresses are as they were typed.
struct Options {
  Mode mode = Mode::kDeliver;
  bool verifies = false;                      ///< -bv: a report of what delivery would do, without a message.
  bool extracts_recipients = false;           ///< -t
  bool ignores_dots = false;                  ///< -i: a line with a dot does not end the message.
  bool is_gateway = false;                    ///< -G
  int verbosity = 0;                          ///< How many -v.
  std::optional<std::string> full_name = {};  ///< -F
  std::optional<std::string> sender = {};     ///< -f, -r
  std::string envelope_id = {};               ///< -V
  int notify = 0;                             ///< -N, an OR of mta::NotifyFlag
  int return_flags = 0;                       ///< -R, a mta::ReturnFlag
  std::string encoding = {};                  ///< -B: "7bit" or "8bit"
  std::string verp_delimiters = {};           ///< -XV
  std::string alias_database = {};            ///< -oA
  std::string flush_site = {};                ///< -qR
  std::string flush_id = {};                  ///< -qI
  std::vector<std::string> recipients = {};
};

/// What the letters mean. Warnings go to the sink. Errors: kConfiguration, with the text that ends the
/// program.
libconf::Result<Options> interpret(const CommandLine& line, const libconf::Settings& settings,
                                   libconf::DiagnosticSink& sink);

}  // namespace sendmail
