#include "tools/postexplain/options.h"

#include <array>

#include "tools/cli/command_line.h"
#include "tools/cli/fatal.h"

namespace postexplain {
namespace {

using libconf::Result;

enum Group : std::size_t { kMail, kWorld, kOutput };
constexpr std::array<std::string_view, 3> kGroups = {"The mail", "What is known of the world", "Output"};

/// An option, and where it goes.
struct Row {
  cli::Option option;
  std::optional<std::string> Options::*text = nullptr;
  bool Options::*flag = nullptr;
};

constexpr Row kRows[] = {
    {{'\0', "client", "ADDRESS", kMail, "The IP address of the client"}, &Options::client},
    {{'\0', "client-name", "NAME", kMail, "Its verified name, [UNAVAILABLE] or [TEMPUNAVAIL]"},
     &Options::client_name},
    {{'\0', "reverse-name", "NAME", kMail, "Its name that is not verified, where it is another one"},
     &Options::reverse_name},
    {{'\0', "client-port", "PORT", kMail, "Its TCP port"}, &Options::client_port},
    {{'\0', "helo", "NAME", kMail, "What it says with EHLO; without, it says nothing"}, &Options::helo},
    {{'\0', "plain-helo", "", kMail, "It says HELO"}, nullptr, &Options::plain_helo},
    {{'\0', "sender", "ADDRESS", kMail, "The sender of the envelope; empty: the null sender"},
     &Options::sender},
    {{'\0', "recipient", "ADDRESS", kMail, "The recipient of the envelope"}, &Options::recipient},
    {{'\0', "sasl-user", "USER", kMail, "The client has logged in as USER"}, &Options::sasl_user},
    {{'\0', "tls", "", kMail, "The session is encrypted"}, nullptr, &Options::tls},
    {{'\0', "message", "FILE", kMail, "The message, headers and body"}, &Options::message_file},
    {{'c', "config-directory", "DIR", kWorld, "The directory of main.cf; also: MAIL_CONFIG"},
     &Options::config_directory},
    {{'\0', "service", "NAME", kWorld, "The smtpd service of master.cf, or its port; else smtp"},
     &Options::service},
    {{'\0', "dns", "FILE", kWorld, "What name servers, policy servers and milters answer"},
     &Options::dns_file},
    {{'\0', "no-dns", "", kWorld, "No name exists"}, nullptr, &Options::no_dns},
    {{'\0', "live", "", kWorld, "Ask the DNS, policy servers and milters"}, nullptr, &Options::live},
    {{'\0', "expect", "WHAT", kOutput, "permit, reject, defer, discard or transport:nexthop; else status 1"},
     &Options::expect},
    {{'\0', "cases", "FILE", kOutput, "Explain each line of FILE, which has options; print TAP"},
     &Options::cases_file},
    {{'j', "json", "", kOutput, "Print JSON; with --cases, an object a line"}, nullptr, &Options::json},
    {{'v', "verbose", "", kOutput, "Show what came to nothing, too"}, nullptr, &Options::verbose},
    {{'\0', "help", "", kOutput, "Print this help"}, nullptr, nullptr},
};

constexpr std::size_t kRowCount = std::size(kRows);

constexpr std::array<cli::Option, kRowCount> options_of_rows() {
  std::array<cli::Option, kRowCount> options{};
  for (std::size_t i = 0; i < kRowCount; ++i) options[i] = kRows[i].option;
  return options;
}
constexpr std::array<cli::Option, kRowCount> kOptions = options_of_rows();

constexpr cli::Syntax kSyntax = {
    .program = "postexplain",
    .description = "Says what a mail system would do with a mail, and which line decides.",
    .usage =
        "usage: postexplain [-jv] [-c config_dir] --client ADDRESS --sender ADDRESS --recipient ADDRESS ...",
    .footer =
        "Examples:\n"
        "  postexplain -c . --client 192.0.2.7 --helo mx.example --sender a@x.example \\\n"
        "      --recipient b@y.example --no-dns\n"
        "  postexplain -c . --dns answers --cases mail.cases\n"
        "Exit status: 0 as expected, 1 not, 2 usage, 3 could not run. See postexplain(1).",
    .options = kOptions,
    .groups = kGroups,
};

std::optional<libconf::Error> check(const Options& options) {
  const int worlds = (options.dns_file ? 1 : 0) + (options.no_dns ? 1 : 0) + (options.live ? 1 : 0);
  if (worlds > 1) return cli::fatal("specify one of --dns, --no-dns, --live");
  if (options.cases_file) return std::nullopt;
  if (!options.client) return cli::fatal("--client is missing");
  if (!options.sender) return cli::fatal("--sender is missing");
  if (!options.recipient) return cli::fatal("--recipient is missing");
  const std::string expected = options.expect.value_or("permit");
  if (expected.find(':') != std::string::npos) return std::nullopt;
  for (const Decision each : {Decision::kPermit, Decision::kReject, Decision::kDefer, Decision::kDiscard})
    if (decision_name(each) == expected) return std::nullopt;
  return cli::fatal("--expect takes permit, reject, defer, discard or transport:nexthop");
}

}  // namespace

Result<Options> parse_command_line(std::span<const std::string> arguments, Options base) {
  Result<cli::CommandLine> line = cli::parse(kSyntax, arguments);
  if (!line) return line.error();
  Options options = std::move(base);
  options.about = cli::text_about(kSyntax, *line);
  if (options.about) return options;
  for (cli::Given& given : line->given) {
    const Row& row = kRows[given.option - kOptions.data()];
    if (row.flag != nullptr) options.*row.flag = true;
    if (row.text != nullptr) options.*row.text = std::move(given.value);
  }
  if (!line->operands.empty()) return cli::fatal(libconf::concat("unexpected: ", line->operands[0]));
  if (std::optional<libconf::Error> error = check(options)) return *error;
  return options;
}

}  // namespace postexplain
