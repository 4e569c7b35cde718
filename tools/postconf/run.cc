#include "tools/postconf/run.h"

#include <ostream>

#include "libconf/text.h"
#include "tools/postconf/build_info.h"
#include "tools/postconf/check.h"
#include "tools/postconf/diff.h"
#include "tools/postconf/edit.h"
#include "tools/postconf/explain.h"
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
    {[](const Options& o) { return o.first_of("eX#") != '\0'; }, edit_files},
    {[](const Options& o) { return o.first_of("bt") != '\0'; }, show_bounce},
    {[](const Options& o) { return o.first_of("aAlmT") != '\0'; }, show_build_info},
    {[](const Options& o) { return o.first_of("MFP") != '\0'; }, show_master},
    {[](const Options& o) { return o.origin || o.service.has_value(); }, show_origins},
    {[](const Options&) { return true; }, show_main},
};

/// The last line of `message` is the fatal error; lines before it are complete.
void print_fatal(std::ostream& err, std::string_view message) {
  const std::size_t newline = message.find('\n');
  if (newline != std::string_view::npos) {
    err << "postconf: " << message.substr(0, newline) << '\n';
    message.remove_prefix(newline + 1);
  }
  err << "postconf: fatal: " << libconf::printable(message) << '\n';
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const Result<Options> options = parse_command_line(arguments);
  if (!options) {
    print_fatal(err, options.error().message);
    return 1;
  }
  std::string text;
  WarningPrinter warnings(err, options->has('q'));
  Console console{text, err, warnings};
  const Mode* mode = kModes;
  while (!mode->applies(*options)) ++mode;
  const Result<int> status = mode->run(*options, console);
  out << text << std::flush;
  if (!out) {
    err << "postconf: fatal: write error on standard output\n";
    return 1;
  }
  if (status) return *status;
  print_fatal(err, status.error().message);
  return 1;
}

}  // namespace postconf
