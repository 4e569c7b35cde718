// Runs one message through Cleanup and prints what it did, for cleanup_differential.py.
//
//     cleanup_program DIRECTORY NAME=VALUE... <message
//
// DIRECTORY has a main.cf; the names are members of MessageContext. Output is a line for each call of the
// sink, "N text" for the end of a line, "L text" for a piece, "log ...", "reject 550 5.7.1 text" and so on;
// content is followed by a newline, and may not have any itself.
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "libconf/main_cf_document.h"
#include "libconf/text.h"
#include "tests/tools/mta/header_pieces.h"
#include "tools/mta/content/cleanup.h"

namespace {

using libconf::Severity;

class Printer final : public mta::CleanupSink, public libconf::DiagnosticSink {
 public:
  void header(std::string_view text) override {
    mta::for_each_header_piece(text, line_length_limit,
                               [this](std::string_view piece, bool ends_line) { content(piece, ends_line); });
  }
  void content(std::string_view text, bool ends_line) override { print(ends_line ? "N" : "L", text); }
  void recipient(std::string_view address, mta::RecipientSource source) override {
    print(source == mta::RecipientSource::kBcc ? "bcc" : "recipient", address);
  }
  void content_filter(std::string_view destination) override { print("filter", destination); }
  void redirect(std::string_view address) override { print("redirect", address); }
  void hold() override { print("hold", ""); }
  void pass() override { print("pass", ""); }
  void content_is_8bit() override { print("8bit", ""); }
  void log(Severity severity, std::string_view line) override {
    const std::string text =
        libconf::printable_utf8(libconf::concat(severity == Severity::kWarning ? "warning: " : "", line));
    print("log", text);
  }
  void discard() override { print("discard", ""); }
  void reject(const mta::Rejection& rejection) override {
    print("reject",
          libconf::concat(std::to_string(rejection.code), " ", rejection.status, " ", rejection.text));
  }
  void report(libconf::Diagnostic diagnostic) override { log(Severity::kWarning, diagnostic.message); }

  std::size_t line_length_limit = 0;

 private:
  void print(std::string_view what, std::string_view text) { std::cout << what << ' ' << text << '\n'; }
};

struct Member {
  std::string_view name;
  std::string_view mta::MessageContext::*member;
};

constexpr Member kMembers[] = {
    {"queue_id", &mta::MessageContext::queue_id},   {"client", &mta::MessageContext::client},
    {"sender", &mta::MessageContext::sender},       {"recipient", &mta::MessageContext::recipient},
    {"protocol", &mta::MessageContext::protocol},   {"helo", &mta::MessageContext::helo},
    {"full_name", &mta::MessageContext::full_name},
};

int run(std::string_view directory, int count, char** assignments) {
  auto document = libconf::MainCfDocument::load(std::string(directory) + "/main.cf");
  if (!document) {
    std::cerr << document.error().message << '\n';
    return EXIT_FAILURE;
  }
  libconf::Settings settings(&*document, libconf::system_host());
  mta::MessageContext context;
  for (int i = 0; i < count; ++i) {
    const std::string_view assignment = assignments[i];
    const std::string_view name = assignment.substr(0, assignment.find('='));
    const std::string_view value = assignment.substr(name.size() + 1);
    for (const Member& known : kMembers)
      if (known.name == name) context.*known.member = value;
    if (name == "arrival") context.arrival = std::strtoll(value.data(), nullptr, 10);
    if (name == "rewrites_headers") context.rewrites_headers = value == "1";
  }
  Printer printer;
  const auto options = mta::cleanup_options(settings);
  auto checks = mta::ContentChecks::open(settings, {.settings = settings, .warnings = printer});
  if (!options || !checks) {
    std::cerr << (options ? checks.error() : options.error()).message << '\n';
    return EXIT_FAILURE;
  }
  printer.line_length_limit = options->mime.line_length_limit;
  const std::string message(std::istreambuf_iterator<char>(std::cin), {});
  mta::Cleanup cleanup(*options, *checks, context, nullptr, printer);
  cleanup.feed(message);
  cleanup.finish();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return EXIT_FAILURE;
  return run(argv[1], argc - 2, argv + 2);
}
