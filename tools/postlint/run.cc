#include "tools/postlint/run.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "libconf/text.h"
#include "tools/cli/console.h"
#include "tools/postlint/options.h"
#include "tools/postlint/report.h"
#include "tools/postlint/rule_page.h"
#include "tools/postlint/site_files.h"

namespace postlint {
namespace {

using libconf::Result;

bool wants_colour(const Options& options) {
  if (options.colour != ColourChoice::kAuto) return options.colour == ColourChoice::kAlways;
  return ::isatty(STDOUT_FILENO) != 0;
}

std::string read_all(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

int audit_sites(const Options& options, std::istream& in, std::ostream& out, cli::MessagePrinter& messages) {
  const auto cannot_run = [&](const libconf::Error& error) {
    messages.fatal(error.message);
    return kCannotRun;
  };
  const auto& operands = options.operands;
  const bool reads_input = std::find(operands.begin(), operands.end(), "-") != operands.end();
  const Result<std::vector<SiteFiles>> sites = find_sites(operands, options.config_directory, options.root,
                                                          reads_input ? read_all(in) : std::string());
  if (!sites) return cannot_run(sites.error());
  std::vector<std::unique_ptr<SiteModel>> models;
  Report report{.is_coloured = wants_colour(options), .version = POSTKIT_VERSION};
  for (SiteFiles files : *sites) {
    files.profile = options.profile;
    files.target = options.target;
    Result<std::unique_ptr<SiteModel>> model = SiteModel::load(std::move(files));
    if (!model) return cannot_run(model.error());
    models.push_back(std::move(*model));
    report.sites.push_back({models.back().get(), audit(*models.back(), options.choice)});
  }
  out << options.format->write(report) << std::flush;
  if (!out) return kCannotRun;
  for (const AuditedSite& site : report.sites)
    for (const Finding& finding : site.result.findings)
      if (finding.severity >= options.fail_level) return kHasFindings;
  return kClean;
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  cli::MessagePrinter messages("postlint", err);
  const Result<Options> options = read_options(arguments);
  if (!options) {
    messages.fatal(options.error().message);
    return kBadUsage;
  }
  if (options->shows_help) {
    out << help_text();
  } else if (options->shows_version) {
    out << "postlint " << POSTKIT_VERSION << '\n';
  } else if (options->lists_rules) {
    out << rule_list();
  } else if (options->explained) {
    out << rule_page(*find_rule(*options->explained));
  } else {
    return audit_sites(*options, in, out, messages);
  }
  return kClean;
}

}  // namespace postlint
