#include "tools/postlint/run.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>

#include "libconf/file.h"
#include "libconf/file_edit.h"
#include "libconf/text.h"
#include "tools/cli/console.h"
#include "tools/postconf/unified_diff.h"
#include "tools/postlint/baseline.h"
#include "tools/postlint/fixes.h"
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

/// One run over all configurations that the command line names.
class Run {
 public:
  Run(const Options& options, std::ostream& out, cli::MessagePrinter& messages)
      : options_(options), out_(out), messages_(messages) {}

  /// Returns the exit status.
  int audit_all(std::istream& in) {
    const Result<int> status = try_all(in);
    if (status) return *status;
    messages_.fatal(status.error().message);
    return kCannotRun;
  }

 private:
  Result<int> try_all(std::istream& in) {
    const auto& operands = options_.operands;
    const bool reads_input = std::find(operands.begin(), operands.end(), "-") != operands.end();
    Result<std::vector<SiteFiles>> sites = find_sites(operands, options_.config_directory, options_.root,
                                                      reads_input ? read_all(in) : std::string());
    if (!sites) return sites.error();
    if (Result<void> loaded = load(*sites); !loaded) return loaded.error();
    if (options_.shows_diff) return show_diff();
    if (options_.applies_fixes) {
      if (Result<void> fixed = apply_fixes(); !fixed) return fixed.error();
      if (Result<void> loaded = load(*sites); !loaded) return loaded.error();
    }
    if (options_.baseline)
      if (Result<void> done = hold_against_baseline(); !done) return done.error();
    out_ << options_.format->write(report_) << std::flush;
    if (!out_) return libconf::Error{.message = "standard output cannot be written"};
    return has_failed() ? kHasFindings : kClean;
  }

  Result<void> load(const std::vector<SiteFiles>& sites) {
    report_ = {.is_coloured = wants_colour(options_), .version = POSTKIT_VERSION};
    models_.clear();
    for (SiteFiles files : sites) {
      files.profile = options_.profile;
      files.target = options_.target;
      Result<std::unique_ptr<SiteModel>> model = SiteModel::load(std::move(files));
      if (!model) return model.error();
      models_.push_back(std::move(*model));
      report_.sites.push_back({models_.back().get(), audit(*models_.back(), options_.choice)});
    }
    return {};
  }

  Result<std::vector<FixedFile>> all_fixes() {
    std::vector<FixedFile> out;
    for (const AuditedSite& audited : report_.sites) {
      Result<std::vector<FixedFile>> files = fixed_files(*audited.site, audited.result.findings, messages_);
      if (!files) return files.error();
      std::move(files->begin(), files->end(), std::back_inserter(out));
    }
    return out;
  }

  Result<int> show_diff() {
    const Result<std::vector<FixedFile>> files = all_fixes();
    if (!files) return files.error();
    for (const FixedFile& file : *files)
      out_ << postconf::unified_diff(file.before, file.after, file.file, file.file);
    out_.flush();
    return files->empty() ? kClean : kHasFindings;
  }

  Result<void> apply_fixes() {
    const Result<std::vector<FixedFile>> files = all_fixes();
    if (!files) return files.error();
    for (const FixedFile& file : *files) {
      Result<libconf::FileEdit> edit = libconf::FileEdit::begin(file.file);
      if (!edit) return edit.error();
      if (edit->original() != file.before) {
        edit->discard();
        return libconf::Error{.message = libconf::concat(file.file, " has changed meanwhile")};
      }
      if (const Result<bool> changed = edit->commit(file.after); !changed) return changed.error();
    }
    return {};
  }

  Result<void> hold_against_baseline() {
    const std::string& file = *options_.baseline;
    Result<Baseline> baseline = Baseline::load(file);
    if (!baseline) return baseline.error();
    std::error_code failed;
    const bool is_new = options_.updates_baseline && !std::filesystem::exists(file, failed);
    if (is_new) {
      std::vector<Finding> all;
      for (AuditedSite& audited : report_.sites) {
        std::move(audited.result.findings.begin(), audited.result.findings.end(), std::back_inserter(all));
        audited.result.findings.clear();
      }
      return write(file, Baseline::text_of(all));
    }
    for (AuditedSite& audited : report_.sites)
      audited.result.suppressed += baseline->take_known(audited.result.findings);
    if (baseline->gone() == 0) return {};
    if (options_.updates_baseline) return write(file, baseline->shrunk());
    messages_.warn("baseline-gone",
                   libconf::concat(file, ": ", std::to_string(baseline->gone()),
                                   " of the findings are mended; --update-baseline removes them"));
    return {};
  }

  static Result<void> write(const std::string& file, const std::string& text) {
    Result<libconf::FileReplacement> replacement = libconf::FileReplacement::begin(file);
    if (!replacement) return replacement.error();
    if (const int failed = libconf::write_all(replacement->fd(), text); failed != 0) {
      replacement->discard();
      return libconf::io_error("write", file, failed);
    }
    return replacement->commit({.if_new = 0644});
  }

  bool has_failed() const {
    return std::any_of(report_.sites.begin(), report_.sites.end(), [&](const AuditedSite& audited) {
      const std::vector<Finding>& findings = audited.result.findings;
      return std::any_of(findings.begin(), findings.end(),
                         [&](const Finding& finding) { return finding.severity >= options_.fail_level; });
    });
  }

  const Options& options_;
  std::ostream& out_;
  cli::MessagePrinter& messages_;
  std::vector<std::unique_ptr<SiteModel>> models_;
  Report report_;
};

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
    return Run(*options, out, messages).audit_all(in);
  }
  return kClean;
}

}  // namespace postlint
