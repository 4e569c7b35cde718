/// The command line of postlint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libconf/result.h"
#include "tools/cli/command_line.h"
#include "tools/postlint/audit.h"
#include "tools/postlint/report.h"

namespace postlint {

enum class ColourChoice : std::uint8_t { kAuto, kAlways, kNever };

struct Options {
  std::vector<std::string> operands = {};
  std::optional<std::string> config_directory = {};
  std::string root = {};
  const Format* format = nullptr;
  Severity fail_level = Severity::kError;
  AuditChoice choice = {};
  std::optional<Profile> profile = {};
  Version target = kNewestVersion;
  ColourChoice colour = ColourChoice::kAuto;
  std::optional<std::string> baseline = {};
  bool updates_baseline = false;
  bool applies_fixes = false;
  bool shows_diff = false;
  std::optional<std::string> explained = {};
  bool lists_rules = false;
  bool shows_help = false;
  bool shows_version = false;
};

/// Reads the settings file first: --config, or .postlint.json in the working directory, if there is one.
/// Errors: kConfiguration, for what cannot be understood; kSyntax and kInputOutput, of the settings file.
libconf::Result<Options> read_options(const std::vector<std::string>& arguments);

/// The text of --help.
std::string help_text();

}  // namespace postlint
