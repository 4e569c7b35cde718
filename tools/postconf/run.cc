#include "tools/postconf/run.h"

#include <ostream>

#include "libconf/text.h"
#include "tools/postconf/build_info.h"
#include "tools/postconf/check.h"
#include "tools/postconf/diff.h"
#include "tools/postconf/edit.h"
#include "tools/postconf/explain.h"
#include "tools/postconf/migrate.h"
#include "tools/postconf/show_bounce.h"
#include "tools/postconf/show_main.h"
#include "tools/postconf/show_master.h"

namespace postconf {
namespace {

using libconf::concat;
using libconf::Result;

Result<int> show_help(const Options& options, Console& console) {
  console.out += options.help_text;
  return 0;
}

Result<int> show_version(const Options&, Console& console) {
  console.out += concat("postconf (Postkit) ", POSTKIT_VERSION, ", compatible with Postfix 3.12\n");
  return 0;
}

/// What to do, in the order in which the conditions are tried; the last row always applies.
struct Mode {
  bool (*applies)(const Options& options);
  Result<int> (*run)(const Options& options, Console& console);
};
constexpr Mode kModes[] = {
    {[](const Options& o) { return o.help; }, show_help},
    {[](const Options& o) { return o.version; }, show_version},
    {[](const Options& o) { return o.explain.has_value(); }, explain_parameter},
    {[](const Options& o) { return o.diff.has_value(); }, diff_directories},
    {[](const Options& o) { return o.check; }, check_configuration},
    {[](const Options& o) { return o.migrate_db.has_value(); }, migrate_databases},
    {[](const Options& o) { return o.first_of("eX#") != '\0'; }, edit_files},
    {[](const Options& o) { return o.first_of("bt") != '\0'; }, show_bounce},
    {[](const Options& o) { return o.first_of("aAlmT") != '\0'; }, show_build_info},
    {[](const Options& o) { return o.first_of("MFP") != '\0'; }, show_master},
    {[](const Options& o) { return o.origin || o.service.has_value(); }, show_origins},
    {[](const Options&) { return true; }, show_main},
};

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const Result<Options> options = parse_command_line(arguments);
  WarningPrinter warnings(err, options && options->has('q'));
  if (!options) {
    warnings.fatal(options.error().message);
    return 1;
  }
  std::string text;
  Console console{text, err, warnings};
  const Mode* mode = kModes;
  while (!mode->applies(*options)) ++mode;
  const Result<int> status = mode->run(*options, console);
  out << text << std::flush;
  if (!out) {
    warnings.fatal("write error on standard output");
    return 1;
  }
  if (status) return *status;
  warnings.fatal(status.error().message);
  return 1;
}

}  // namespace postconf
