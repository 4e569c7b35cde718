// Asks the SMTP or LMTP client about recipients, for comparison with Postfix:
//
//     delivery_program MAIN_CF smtp|lmtp NEXTHOP SENDER SIZE RECIPIENT... [-- NAME=VALUE...]
//
// NAME=VALUE are options of the service. The log goes where main.cf has it; a line for each recipient goes to
// standard output, in the order of the log: address, outcome, enhanced status.
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <charconv>
#include <iostream>
#include <string>

#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "tools/mta/daemon/event_loop.h"
#include "tools/mta/delivery/smtp_client_agent.h"
#include "tools/mta/dns/cares_resolver.h"

namespace {

int fail(const libconf::Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

bool read_request(int argc, char** argv, mta::DeliveryRequest& request, libconf::Settings& settings) {
  constexpr int kFirstRecipient = 6;
  if (argc <= kFirstRecipient) return false;
  request.queue_id = "4A1B2C3D4E";
  request.transport = argv[2];
  request.nexthop = argv[3];
  request.sender = argv[4];
  request.purpose = mta::DeliveryPurpose::kProbe;
  const std::string_view size = argv[5];
  std::from_chars(size.data(), size.data() + size.size(), request.content_size);
  request.arrival = request.activated =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  bool is_option = false;
  for (int i = kFirstRecipient; i < argc; ++i) {
    const std::string argument = argv[i];
    libconf::NameValue assignment;
    if (argument == "--") {
      is_option = true;
    } else if (!is_option) {
      request.recipients.push_back({.address = argument, .dsn_original = "rfc822;" + argument});
    } else if (split_name_value(argument, assignment) == libconf::NameValueFault::kNone) {
      settings.override_value(assignment.name, assignment.value);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto document = libconf::MainCfDocument::load(argv[1]);
  if (!document) return fail(document.error());
  const libconf::Host host = libconf::system_host();
  libconf::Settings settings(&*document, host);
  mta::DeliveryRequest request;
  if (!read_request(argc, argv, request, settings)) return 2;
  const auto log = mta::MailLog::open(settings);
  if (!log) return fail(log.error());
  asio::io_context io;
  mta::EventLoop loop(io);
  const auto resolver = mta::CaresResolver::create(io.get_executor(), {});
  if (!resolver) return fail(resolver.error());
  const auto protocol = request.transport == "lmtp" ? mta::ClientProtocol::kLmtp : mta::ClientProtocol::kSmtp;
  const auto agent = mta::SmtpClientAgent::create(
      settings, protocol,
      {.executor = io.get_executor(), .resolver = **resolver, .log = **log, .host = host});
  if (!agent) return fail(agent.error());

  mta::DeliveryReport report;
  asio::co_spawn(io, (*agent)->deliver(request, -1), [&](std::exception_ptr, mta::DeliveryReport result) {
    report = std::move(result);
    io.stop();
  });
  loop.run();
  constexpr std::string_view kOutcomes[] = {"sent", "deferred", "bounced"};
  for (const mta::RecipientReport& each : report.recipients)
    std::cout << request.recipients[each.recipient].address << ' '
              << kOutcomes[static_cast<std::size_t>(each.outcome)] << ' ' << each.status.code << '\n';
  std::cout << (report.is_destination_dead ? "dead\n" : "");
  return 0;
}
