#include "tools/postexplain/run.h"

#include <map>
#include <memory>
#include <optional>

#include "libconf/file.h"
#include "libconf/text.h"
#include "tools/cli/console.h"
#include "tools/cli/fatal.h"
#include "tools/cli/tap.h"
#include "tools/mta/submission/user_program.h"
#include "tools/postexplain/cases.h"
#include "tools/postexplain/options.h"
#include "tools/postexplain/printer.h"

namespace postexplain {
namespace {

using libconf::concat;
using libconf::Error;
using libconf::Result;

enum Status { kAsExpected = 0, kNotExpected = 1, kUsage = 2, kCouldNotRun = 3 };

/// What went wrong, and how the program ends then.
struct Failure {
  Status status;
  Error error;
};

template <class T>
using Outcome = tl::expected<T, Failure>;

tl::unexpected<Failure> failed(Status status, Error error) {
  return tl::make_unexpected(Failure{status, std::move(error)});
}

/// A mistake in what the user gave, or in what was found.
Status status_of(const Error& error) {
  return error.kind == libconf::ErrorKind::kSyntax ? kUsage : kCouldNotRun;
}

/// Dry runs by what they are about: cases share them.
class DryRuns {
 public:
  Outcome<DryRun*> of(const Options& options) {
    const std::string directory = mta::configuration_directory(options.config_directory);
    const DnsMode mode = options.live       ? DnsMode::kLive
                         : options.no_dns   ? DnsMode::kNone
                         : options.dns_file ? DnsMode::kFile
                                            : DnsMode::kUnknown;
    const std::string service = options.service.value_or("smtp");
    const std::string key = concat(directory, "\n", service, "\n", options.dns_file.value_or(""), "\n",
                                   std::to_string(static_cast<int>(mode)));
    if (const auto known = runs_.find(key); known != runs_.end()) return known->second.get();
    Setup setup{.directory = directory, .service = service, .dns = mode};
    if (options.dns_file) {
      const Result<std::string> text = libconf::read_file(*options.dns_file);
      if (!text) return failed(kCouldNotRun, text.error());
      Result<Answers> answers = Answers::parse(*text, *options.dns_file);
      if (!answers) return failed(kUsage, answers.error());
      setup.answers = std::move(*answers);
    }
    Result<std::unique_ptr<DryRun>> made = DryRun::create(std::move(setup));
    if (!made) return failed(kCouldNotRun, made.error());
    return runs_.emplace(key, std::move(*made)).first->second.get();
  }

 private:
  std::map<std::string, std::unique_ptr<DryRun>> runs_;
};

Outcome<Explanation> explain(const Options& options, DryRuns& runs) {
  const Outcome<DryRun*> run = runs.of(options);
  if (!run) return tl::make_unexpected(run.error());
  Request request{.client = *options.client,
                  .client_port = options.client_port.value_or("0"),
                  .client_name = options.client_name,
                  .reverse_name = options.reverse_name,
                  .helo = options.helo,
                  .is_extended = !options.plain_helo,
                  .sender = *options.sender,
                  .recipient = *options.recipient,
                  .sasl_user = options.sasl_user,
                  .is_encrypted = options.tls};
  if (options.message_file) {
    Result<std::string> text = libconf::read_file(*options.message_file);
    if (!text) return failed(kCouldNotRun, text.error());
    request.message = std::move(*text);
  }
  Result<Explanation> explanation = (*run)->explain(request);
  if (!explanation) return failed(status_of(explanation.error()), explanation.error());
  return std::move(*explanation);
}

int run_once(const Options& options, cli::Output& out, cli::MessagePrinter& messages) {
  DryRuns runs;
  const Outcome<Explanation> explanation = explain(options, runs);
  if (!explanation) {
    messages.fatal(explanation.error().error.message);
    return explanation.error().status;
  }
  out.text() += options.json ? to_json(*explanation) : to_text(*explanation, options.verbose);
  out.flush();
  if (!options.expect || is_expected(*explanation, *options.expect)) return kAsExpected;
  messages.report({.code = "not-expected",
                   .message = concat("expected ", *options.expect, ", got ", summary(*explanation))});
  return kNotExpected;
}

/// One case; the whole trace of one that failed.
bool report_case(const Options& options, const Explanation& explanation, std::string_view name,
                 cli::TapReport& report) {
  const std::string expected = options.expect.value_or("permit");
  const bool is_good = is_expected(explanation, expected);
  report.result(is_good, name);
  if (is_good) return true;
  report.comment(concat("expected ", expected, ", got ", libconf::printable_utf8(summary(explanation))));
  report.comment(to_text(explanation, options.verbose), "  ");
  return false;
}

int run_cases(const Options& options, cli::Output& out, cli::MessagePrinter& messages) {
  const std::string& file = *options.cases_file;
  const Result<std::string> text = libconf::read_file(file);
  const auto fail = [&](Status status, std::string_view message) {
    messages.fatal(message);
    return status;
  };
  if (!text) return fail(kCouldNotRun, text.error().message);
  const Result<std::vector<Case>> cases = parse_cases(*text, file);
  if (!cases) return fail(kUsage, cases.error().message);
  DryRuns runs;
  Status status = kAsExpected;
  std::optional<cli::TapReport> report;
  if (!options.json) report.emplace(out.text(), cases->size());
  for (const Case& each : *cases) {
    const std::string place = concat(file, ", line ", std::to_string(each.line));
    Options base = options;
    base.cases_file.reset();
    Result<Options> merged = parse_command_line(each.arguments, std::move(base));
    if (merged && (merged->cases_file || merged->about)) merged = cli::fatal("a case is no option of a case");
    if (!merged) return fail(kUsage, concat(place, ": ", merged.error().message));
    const Outcome<Explanation> explanation = explain(*merged, runs);
    if (!explanation)
      return fail(explanation.error().status, concat(place, ": ", explanation.error().error.message));
    const std::string name = each.name.empty() ? concat("line ", std::to_string(each.line)) : each.name;
    if (report && !report_case(*merged, *explanation, name, *report)) status = kNotExpected;
    if (options.json) out.text() += to_json(*explanation);
    if (options.json && merged->expect && !is_expected(*explanation, *merged->expect)) status = kNotExpected;
    out.flush();
  }
  return status;
}

}  // namespace

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  cli::MessagePrinter messages("postexplain", err);
  cli::Output output(out);
  const Result<Options> options = parse_command_line(arguments);
  if (!options) {
    messages.fatal(options.error().message);
    return kUsage;
  }
  if (options->about) {
    output.text() += *options->about;
    output.flush();
    return kAsExpected;
  }
  const int status =
      options->cases_file ? run_cases(*options, output, messages) : run_once(*options, output, messages);
  return output.is_good() ? status : kCouldNotRun;
}

}  // namespace postexplain
